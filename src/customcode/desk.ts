import { BucardoError } from "../model/error.ts";
import type { Answer } from "../postgres/batch.ts";
import { interruptible } from "../postgres/cancel.ts";
import type { Session } from "../postgres/session.ts";
import { sql, type Statement } from "../postgres/sql.ts";
import { whyNotInside } from "./allowed.ts";

/** Where the statements of custom code are executed during one call. */
export interface Desk extends AsyncDisposable {
  readonly databases: readonly string[];
  query(db: string, text: string, values: readonly unknown[], signal: AbortSignal): Promise<Answer>;
}

/** Names without schema mean the same as in an application, unless a role or a database was given a search path of its own. */
const SEARCH_PATH = `"$user", public`;

function exactly(text: string, values: readonly unknown[]): Statement {
  return { ...sql("customcode.query", text, values), exact: true };
}

/**
 * On the run's own sessions, in its transactions: rows only. What code writes is an ordinary write of an application: triggers fire, foreign keys are
 * checked, and where that database is a source of a sync, it is captured. So the replica role that the run writes under is put aside for the time
 * of the call; under it triggers are silent, ours too, and a change of the code would stay where it was made.
 */
export class InsideDesk implements Desk {
  readonly #sessions: ReadonlyMap<string, Session>;
  readonly #entered = new Map<Session, string>();

  constructor(sessions: ReadonlyMap<string, Session>) {
    this.#sessions = sessions;
  }

  get databases(): readonly string[] {
    return [...this.#sessions.keys()];
  }

  async query(db: string, text: string, values: readonly unknown[], signal: AbortSignal): Promise<Answer> {
    const session = this.#sessions.get(db);
    if (session === undefined) throw unknownHandle(db, this.databases);
    const why = whyNotInside(text);
    if (why !== null) throw new BucardoError("customcode-failed", why, { db });
    await this.#enter(session);
    return await underSavepoint(session, exactly(text, values), signal);
  }

  /** After an error that ends the run, too: what is not undone then goes with the transaction. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const [session, back] of this.#entered) {
      if (!session.lost.aborted) await session.script(sql("customcode.leave", back)).catch(() => undefined);
    }
  }

  async #enter(session: Session): Promise<void> {
    if (this.#entered.has(session)) return;
    const now = await session.one<{ role: string; path: string }>(
      sql(
        "customcode.settings",
        "select current_setting('session_replication_role') as role, quote_literal(current_setting('search_path')) as path",
      ),
    );
    const setPath = (path: string) => `select set_config('search_path', ${path}, true)`;
    const setRole = (role: string) => (now.role === "origin" ? "" : `; set local session_replication_role = ${role}`);
    this.#entered.set(session, `${setPath(now.path)}${setRole(now.role)}`);
    await session.script(sql("customcode.enter", `${setPath(`'${SEARCH_PATH}'`)}${setRole("origin")}`));
  }
}

/** So that the code may go on after a statement that failed. */
async function underSavepoint(session: Session, statement: Statement, signal: AbortSignal): Promise<Answer> {
  const save = (text: string) => sql("customcode.save", text);
  try {
    const answers = await interruptible(signal, session, () =>
      session.batch([save("savepoint bucardo_code"), statement, save("release savepoint bucardo_code")]),
    );
    return answers[1]!;
  } catch (error) {
    if (!session.lost.aborted) await session.script(save("rollback to savepoint bucardo_code")).catch(() => undefined);
    throw error;
  }
}

/**
 * On sessions of its own, opened when they are first used and closed with the call: whatever is not committed by then is rolled back. Read-only where a run
 * holds rows meanwhile: code that waited for them would wait for itself.
 */
export class OwnDesk implements Desk {
  readonly databases: readonly string[];
  readonly #open: (db: string, signal: AbortSignal) => Promise<Session>;
  readonly #sessions = new Map<string, Session>();
  readonly #readOnly: boolean;

  constructor(databases: readonly string[], open: (db: string, signal: AbortSignal) => Promise<Session>, readOnly = false) {
    this.databases = databases;
    this.#open = open;
    this.#readOnly = readOnly;
  }

  async query(db: string, text: string, values: readonly unknown[], signal: AbortSignal): Promise<Answer> {
    const why = this.#readOnly ? whyNotInside(text) : null;
    if (why !== null) throw new BucardoError("customcode-failed", why, { db });
    const session = await this.session(db, signal);
    const [answer] = await interruptible(signal, session, () => session.batch([exactly(text, values)]));
    return answer!;
  }

  async session(db: string, signal: AbortSignal): Promise<Session> {
    if (!this.databases.includes(db)) throw unknownHandle(db, this.databases);
    const known = this.#sessions.get(db);
    if (known !== undefined) return known;
    const session = await this.#open(db, signal);
    this.#sessions.set(db, session);
    const readOnly = this.#readOnly ? "; set default_transaction_read_only = on" : "";
    await session.script(sql("customcode.search-path", `set search_path = ${SEARCH_PATH}${readOnly}`));
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions.values()) await session.close();
  }
}

function unknownHandle(db: string, databases: readonly string[]): BucardoError {
  return new BucardoError("customcode-failed", `there is no handle for "${db}" here; there is ${databases.join(", ") || "none"}`);
}
