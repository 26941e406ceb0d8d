import { sleep } from "../base/sleep.ts";
import type { BucardoError } from "../model/error.ts";
import { interruptible } from "../postgres/cancel.ts";
import { sqlstateOf, toBucardoError } from "../postgres/failure.ts";
import { quoteLiteral } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { existsAlready } from "./exists-already.ts";
import { tokensOf } from "./lexer.ts";
import type { SchemaObject } from "./object.ts";

export type ObjectFailure = {
  readonly object: SchemaObject;
  readonly error: BucardoError;
  /** It names something that is not there, and other objects failed before it. */
  readonly consequence: boolean;
};

export type MakeOptions = {
  readonly signal: AbortSignal;
  readonly owners?: boolean | undefined;
  readonly resumed?: boolean | undefined;
  readonly failedBefore: boolean;
};

export type Outcome = { readonly made: true; readonly note: string | null } | { readonly made: false; readonly failure: ObjectFailure };

/** Deadlocks and locks held by others pass. */
const passing = new Set(["40P01", "40001", "55P03"]);
/** "tuple concurrently updated": the moves of two databases make the same role. */
const CONCURRENT = "XX000";
const ATTEMPTS = 12;
const PAUSE_MS = 250;

/** Undefined schema, table, column, function, object, and a wrong kind of it. */
const missing = new Set(["3F000", "42P01", "42703", "42883", "42704", "42809"]);

/** Makes one object in one transaction. Throws only when the connection is lost or the signal aborts. */
export async function makeObject(session: Session, object: SchemaObject, options: MakeOptions): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      await interruptible(options.signal, session, () => run(session, object, options));
      return { made: true, note: null };
    } catch (error) {
      options.signal.throwIfAborted();
      session.lost.throwIfAborted();
      const sqlstate = sqlstateOf(error);
      if (sqlstate === null) throw error;
      const failure = toBucardoError(error, { db: session.name });
      if ((passing.has(sqlstate) || (object.stage === "role" && sqlstate === CONCURRENT)) && attempt < ATTEMPTS) {
        await sleep(PAUSE_MS, options.signal);
        continue;
      }
      // Roles are of the whole server: another database's move may make the same ones.
      if ((options.resumed === true || object.stage === "role") && (await existsAlready(session, object, failure)))
        return { made: true, note: "was there already" };
      const consequence = options.failedBefore && missing.has(sqlstate);
      return { made: false, failure: { object, error: failure, consequence } };
    }
  }
}

async function run(session: Session, object: SchemaObject, { owners = true }: MakeOptions): Promise<void> {
  const statements = object.statements.filter((text) => owners || !isOwnership(text));
  if (statements.length === 0) return;
  await transaction(session, {}, async () => {
    const settings = settingsOf(session, object);
    if (settings !== "") await session.script(sql("schema.place", settings));
    for (const text of statements) await session.script(sql("schema.make", text));
  });
}

/** Where it is stored, until the end of the transaction; a tablespace only where there is one of that name that we may use. */
function settingsOf(session: Session, { tablespace, accessMethod }: SchemaObject): string {
  const name = quoteLiteral(tablespace);
  const place = `select pg_catalog.set_config('default_tablespace', ${name}, true) from pg_catalog.pg_tablespace
    where spcname = ${name} and pg_catalog.has_tablespace_privilege(oid, 'create');`;
  const method = `set local default_table_access_method = ${quoteLiteral(accessMethod)};`;
  return [tablespace === null ? "" : place, accessMethod === null || session.serverVersion < 120000 ? "" : method].join("");
}

/** `ALTER .. OWNER TO role`. */
export function isOwnership(text: string): boolean {
  const words = tokensOf(text).map(({ kind, value }) => (kind === "word" ? value : ""));
  return words[0] === "alter" && words.at(-3) === "owner" && words.at(-2) === "to";
}
