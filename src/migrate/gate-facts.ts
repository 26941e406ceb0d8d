import { listWriters, describeWriter } from "../capture/fence-wait.ts";
import { countDeltas } from "../capture/pending.ts";
import { compareTables } from "../catalog/compare.ts";
import { readSequences } from "../catalog/sequence.ts";
import { readTables } from "../catalog/table.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { CutoverContext } from "./cutover-context.ts";
import type { CutoverSessions } from "./cutover-sessions.ts";
import type { GateFacts } from "./gate.ts";

/** Older than this a transaction is told of: shorter ones end by themselves. */
const LONG_SECONDS = 1;

export type FactsJob = {
  readonly context: CutoverContext;
  readonly sessions: Pick<CutoverSessions, "from" | "to" | "own">;
  /** Of the last run before. */
  readonly runMs: number;
};

type Known = Pick<GateFacts, "compared" | "wayBack" | "poolers">;

export async function readGateFacts(job: FactsJob, known: Known): Promise<GateFacts> {
  const { context } = job;
  const { from, to, own } = job.sessions;
  const { definition, uncaptured } = context;
  const waiting = await countDeltas(from, [definition.sync.id]);
  const writers = await listWriters(from, definition.sync.id, uncaptured, own);
  const open = writers.filter(({ pid }) => pid !== null);
  const here = writers.filter(({ pid }) => pid === null);
  return {
    ...known,
    lag: {
      deltas: waiting.filter(({ target }) => target === definition.target).reduce((sum, { deltas }) => sum + deltas, 0),
      runMs: job.runMs,
    },
    schema: await readSchemaProblems(job),
    strangers: await readStrangers(from, [...definition.relations.map(({ name }) => name), ...uncaptured, ...context.leftOut]),
    ddl: await readDdl(from, own),
    writers: open.flatMap((writer) =>
      writer.seconds !== null && writer.seconds >= LONG_SECONDS ? [{ who: describeWriter(writer), seconds: writer.seconds }] : [],
    ),
    prepared: { here: here.map(({ table }) => table), elsewhere: await countPrepared(from) },
    sequences: await readRoom(from, context),
    unanalyzed: await readUnanalyzed(to, tablesOf(context), SMALL_BYTES),
    largeObjects: { from: await countLargeObjects(from), to: await countLargeObjects(to), carried: context.largeObjectsCarried },
    otherWriters: await readOtherWriters(from),
    readOnly: await readReadOnly(to),
  };
}

async function readSchemaProblems({ context, sessions: { from, to } }: FactsJob): Promise<GateFacts["schema"]> {
  const tables = context.definition.relations.filter(({ kind }) => kind === "table");
  const names = tables.map(({ name }) => name);
  const [here, there] = [await readTables(from, names, { bounds: false }), await readTables(to, names, { bounds: false })];
  return tables.flatMap(({ name, key }) => {
    const table = displayName(name);
    const shape = here.get(table);
    if (shape === undefined)
      return [{ grade: "error" as const, what: `${table} does not exist on ${from.name} any more`, remedy: "Take it out of the move." }];
    return compareTables(shape, there.get(table), { strict: context.definition.strict, key: key ?? [], db: to.name })
      .filter(({ grade }) => grade === "error")
      .map(({ grade, what, remedy }) => ({ grade, what: `${table} ${what}`, remedy }));
  });
}

/** Tables and sequences that nobody has spoken of. What belongs to an extension comes with it. */
async function readStrangers(from: Session, known: readonly QualifiedName[]): Promise<string[]> {
  const rows = await from.query<QualifiedName>(
    sql(
      "migrate.strangers",
      `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'S') and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'bucardo')
          and not exists (select from pg_inherits i join pg_class p on p.oid = i.inhparent and p.relkind = 'p' where i.inhrelid = c.oid)
          and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
        order by 1, 2`,
    ),
  );
  const names = new Set(known.map(displayName));
  return rows.map(displayName).filter((name) => !names.has(name));
}

/** Whoever holds or wants a table for himself: ALTER TABLE, CREATE INDEX and their like. Maintenance of the server is none. */
async function readDdl(from: Session, own: readonly number[]): Promise<string[]> {
  const rows = await from.query<{ what: string }>(
    sql(
      "migrate.ddl",
      `select distinct format('pid %s (%s) on %s', l.pid, coalesce(a.application_name, ''), l.relation::regclass) as what
         from pg_locks l join pg_class c on c.oid = l.relation and c.oid >= 16384 and c.relpersistence <> 't' join pg_stat_activity a on a.pid = l.pid
         join pg_namespace n on n.oid = c.relnamespace and n.nspname <> 'bucardo' and n.nspname !~ '^pg_'
        where l.locktype = 'relation' and l.database = (select oid from pg_database where datname = current_database())
          and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'AccessExclusiveLock') and a.usesysid is not null and l.pid <> all ($1::int[]) order by 1`,
      [own],
    ),
  );
  return rows.map(({ what }) => what);
}

async function countPrepared(from: Session): Promise<number> {
  const { count } = await from.one<{ count: number }>(
    sql("migrate.prepared", "select count(*)::int as count from pg_prepared_xacts where database = current_database()"),
  );
  return count;
}

async function readRoom(from: Session, { definition, sequenceGap }: CutoverContext): Promise<GateFacts["sequences"]> {
  const names = definition.relations.filter(({ kind }) => kind === "sequence").map(({ name }) => name);
  const shapes = await readSequences(from, names);
  const rows = await from.query<QualifiedName & { last: string | null }>(
    sql("migrate.sequence-room", "select schemaname as schema, sequencename as name, last_value::text as last from pg_sequences"),
  );
  return rows.flatMap(({ last, ...name }) => {
    const shape = shapes.get(displayName(name));
    if (shape === undefined || last === null) return [];
    const end = BigInt(shape.increment) > 0n ? BigInt(shape.max) - BigInt(last) : BigInt(last) - BigInt(shape.min);
    const step = BigInt(shape.increment) > 0n ? BigInt(shape.increment) : -BigInt(shape.increment);
    return [{ name: displayName(name), left: end / step, wanted: BigInt(sequenceGap) }];
  });
}

function tablesOf({ definition, uncaptured }: CutoverContext): QualifiedName[] {
  return [...definition.relations.filter(({ kind }) => kind === "table").map(({ name }) => name), ...uncaptured];
}

/** Without them the first queries on the new side may take plans that take for ever. Errors: permission-denied. */
export async function analyzeMissing(to: Session, context: CutoverContext): Promise<number> {
  const missing = await readUnanalyzed(to, tablesOf(context), 0);
  for (const table of missing) await to.script(sql("migrate.analyze", `analyze ${table}`));
  return missing.length;
}

/** Below this any plan is quick; a table may get its first rows after the last look. */
const SMALL_BYTES = 128 * 1024;

/** Empty tables need none; of partitioned ones the partitions count. */
async function readUnanalyzed(to: Session, tables: readonly QualifiedName[], fromBytes: number): Promise<string[]> {
  const rows = await to.query<{ name: string }>(
    sql(
      "migrate.unanalyzed",
      `with recursive part (oid) as (
         select c.oid from unnest($1::text[], $2::text[]) w (schema, name)
         join pg_namespace n on n.nspname = w.schema join pg_class c on c.relnamespace = n.oid and c.relname = w.name
         union
         select i.inhrelid from part p join pg_inherits i on i.inhparent = p.oid
       )
       select p.oid::regclass::text as name from part p join pg_class c on c.oid = p.oid
        where c.relkind = 'r' and pg_relation_size(c.oid) > $3::int8 and not exists (select from pg_stats s join pg_namespace n on n.nspname = s.schemaname where s.tablename = c.relname and n.oid = c.relnamespace)
        order by 1`,
      [tables.map(({ schema }) => schema), tables.map(({ name }) => name), fromBytes],
    ),
  );
  return rows.map(({ name }) => name);
}

async function countLargeObjects(session: Session): Promise<number> {
  const { count } = await session.one<{ count: number }>(
    sql("migrate.large-objects", "select count(*)::int as count from pg_largeobject_metadata"),
  );
  return count;
}

async function readOtherWriters(from: Session): Promise<GateFacts["otherWriters"]> {
  const roles = await from.query<{ name: string }>(
    sql(
      "migrate.replica-roles",
      `select distinct coalesce('role ' || r.rolname, 'database ' || d.datname, 'everybody') as name
         from pg_db_role_setting s left join pg_roles r on r.oid = s.setrole left join pg_database d on d.oid = s.setdatabase
        where (s.setdatabase = 0 or d.datname = current_database()) and 'session_replication_role=replica' = any (s.setconfig) order by 1`,
    ),
  );
  const subscriptions = await from.query<{ name: string }>(
    sql(
      "migrate.subscriptions",
      `select subname::text as name from pg_subscription
        where subenabled and subdbid = (select oid from pg_database where datname = current_database()) order by 1`,
    ),
  );
  return { replicaRoles: roles.map(({ name }) => name), subscriptions: subscriptions.map(({ name }) => name) };
}

async function readReadOnly(to: Session): Promise<boolean> {
  const { found } = await to.one<{ found: boolean }>(
    sql(
      "migrate.read-only",
      `select exists (select from pg_db_role_setting s left join pg_database d on d.oid = s.setdatabase
                       where s.setrole = 0 and (s.setdatabase = 0 or d.datname = current_database()) and 'default_transaction_read_only=on' = any (s.setconfig))
           or (select reset_val = 'on' and source not in ('session', 'default') from pg_settings where name = 'default_transaction_read_only') as found`,
    ),
  );
  return found;
}
