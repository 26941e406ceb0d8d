import { sleep } from "../base/sleep.ts";
import { BucardoError } from "../model/error.ts";
import type { QualifiedName } from "../model/name.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** A transaction that may have written before the fence closed. Null pid: a prepared one. */
export type Writer = {
  readonly transaction: string;
  readonly pid: number | null;
  readonly user: string | null;
  readonly application: string | null;
  readonly state: string | null;
  /** Age of the transaction; null where we may not see it. */
  readonly seconds: number | null;
  readonly table: string;
};

/** What a statement needs that changes rows, or the table as a whole. Not what VACUUM, ANALYZE and CREATE INDEX hold. */
const WRITING = ["RowExclusiveLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"];

/**
 * Who holds a writer's lock on one of these tables or their partitions. A writer takes it before its trigger asks the fence, so after closing whoever is not
 * in this list is refused or done (hazard 21). Statements without a transaction id are found too. Our own connections are not counted.
 */
export async function listWriters(
  source: Session,
  sync: string,
  uncaptured: readonly QualifiedName[],
  own: readonly number[],
): Promise<Writer[]> {
  return source.query<Writer>(
    sql(
      "capture.writers",
      `with recursive part (oid) as (
         select t.relation from bucardo.captured_table t where t.id in (select s.captured_table from bucardo.subscription s where s.sync = $1)
         union
         select to_regclass(u)::oid from unnest($2::text[]) u
         union
         select i.inhrelid from part p join pg_inherits i on i.inhparent = p.oid
       ), held as materialized (
         select distinct on (l.virtualtransaction, l.pid) l.virtualtransaction as transaction, l.pid, l.relation
           from pg_locks l
          where l.locktype = 'relation' and l.granted and l.mode = any ($3::text[]) and l.pid is distinct from pg_backend_pid()
            and (l.pid is null or l.pid <> all ($4::int[]))
            and l.database = (select oid from pg_database where datname = current_database()) and l.relation in (select oid from part)
       )
       select h.transaction, h.pid, a.usename as "user", a.application_name as application, a.state, h.relation::regclass::text as "table",
              extract(epoch from clock_timestamp() - a.xact_start)::float8 as seconds
         from held h left join pg_stat_activity a on a.pid = h.pid`.replace(
        "as materialized",
        source.serverVersion >= 120000 ? "as materialized" : "as",
      ),
      [sync, uncaptured.map(quoteName), WRITING, own],
    ),
  );
}

export type WaitRequest = {
  readonly sync: string;
  readonly uncaptured?: readonly QualifiedName[];
  /** Backends of ours. */
  readonly own: readonly number[];
  /** By performance.now(). */
  readonly until: number;
  readonly signal?: AbortSignal;
};

/** Pauses between looks: short at first, as most transactions end within milliseconds. */
const PAUSES_MS = [1, 2, 3, 5, 8, 13, 20];

/**
 * Waits until every transaction has ended that may have written before the fence closed; returns how many there were. What comes later and is refused
 * does not count, but a prepared one always does: it may have been an open one a moment ago. Errors: writers-left, naming who holds up.
 */
export async function waitForWriters(source: Session, request: WaitRequest): Promise<number> {
  const look = () => listWriters(source, request.sync, request.uncaptured ?? [], request.own);
  let left = await look();
  const first = new Set(left.map(nameOf));
  for (let turn = 0; left.length > 0; turn++) {
    if (performance.now() >= request.until) throw tooLong(source, left);
    await sleep(PAUSES_MS[Math.min(turn, PAUSES_MS.length - 1)]!, request.signal);
    left = (await look()).filter((writer) => writer.pid === null || first.has(nameOf(writer)));
  }
  return first.size;
}

function nameOf({ transaction, pid }: Writer): string {
  return `${transaction} ${pid ?? ""}`;
}

function tooLong(source: Session, left: readonly Writer[]): BucardoError {
  const named = left.slice(0, 3).map(describeWriter).join("; ");
  const more = left.length > 3 ? ` and ${left.length - 3} more` : "";
  return new BucardoError("writers-left", `transactions that wrote before did not end in time: ${named}${more}`, { db: source.name });
}

/** "pid 17 (app, user joe, idle in transaction for 12.0 s) on public.t" */
export function describeWriter(writer: Writer): string {
  if (writer.pid === null) return `a prepared transaction on ${writer.table}`;
  const doing = [writer.state, writer.seconds === null ? null : `for ${writer.seconds.toFixed(1)} s`]
    .filter((part) => part !== null)
    .join(" ");
  const parts = [writer.application, writer.user && `user ${writer.user}`, doing].filter((part) => part);
  return `pid ${writer.pid} (${parts.join(", ")}) on ${writer.table}`;
}
