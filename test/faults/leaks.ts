import type { TestDatabase } from "../harness/database.ts";

/** What the daemon may hold in a database while it has nothing to do; without a daemon nothing at all. */
export type Allowance = {
  readonly sessions: number;
  /** `class,object` of advisory locks of the 32-bit kind. */
  readonly locks: readonly string[];
  readonly temporaryTables: number;
};

// Temporary tables live in a session. What a crash of the server leaves of them in its catalog belongs to nobody, and goes with its autovacuum.

export const nothing: Allowance = { sessions: 0, locks: [], temporaryTables: 0 };

type Found = {
  sessions: { application: string; state: string; statement: string }[];
  locks: string[];
  temporary: string[];
  prepared: string[];
  slots: string[];
};

const looking = `select
  (select coalesce(json_agg(json_build_object('application', application_name, 'state', state, 'statement', left(query, 60))), '[]')
     from pg_stat_activity where datname = current_database() and application_name like 'bucardo%') as sessions,
  (select coalesce(json_agg(case objsubid when 2 then format('%s,%s', classid, objid) else 'of a run' end), '[]')
     from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())) as locks,
  (select coalesce(json_agg(distinct relname), '[]') from pg_class where relpersistence = 't' and relkind = 'r') as temporary,
  (select coalesce(json_agg(gid), '[]') from pg_prepared_xacts where database = current_database()) as prepared,
  (select coalesce(json_agg(slot_name), '[]') from pg_replication_slots where database = current_database()) as slots`;

/** What is left in a database beyond the allowance, as lines of text. */
export async function leaks(database: TestDatabase, name: string, allowed: Allowance): Promise<string[]> {
  const found = await database.one<Found>(looking);
  const lines: string[] = [];
  if (found.sessions.length > allowed.sessions) lines.push(`${found.sessions.length} sessions: ${JSON.stringify(found.sessions)}`);
  for (const { application, state, statement } of found.sessions)
    if (state.startsWith("idle in")) lines.push(`${application} is ${state} since ${statement}`);
  const over = found.locks.filter((lock) => !allowed.locks.includes(lock));
  if (over.length > 0 || found.locks.length > allowed.locks.length) lines.push(`advisory locks: ${found.locks.join(" and ")}`);
  if (found.sessions.length > 0 && found.temporary.length > allowed.temporaryTables)
    lines.push(`temporary tables: ${found.temporary.join(", ")}`);
  if (found.prepared.length > 0) lines.push(`prepared transactions: ${found.prepared.join(", ")}`);
  if (found.slots.length > 0) lines.push(`replication slots: ${found.slots.join(", ")}`);
  return lines.map((line) => `${name}: ${line}`);
}
