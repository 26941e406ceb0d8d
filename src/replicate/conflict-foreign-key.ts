import { deltaTable } from "../capture/name.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { quoteIdent, quoteLiteral, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { sameKey } from "./apply-text.ts";
import { sayChanged } from "./conflict-act.ts";
import { CONFLICTS, type Meeting } from "./conflict-find.ts";
import { logConflicts } from "./conflict-log.ts";
import type { RunDefinition } from "./definition.ts";
import { stageColumn } from "./relay.ts";
import { targetTable } from "./sameness.ts";

/** A foreign key that points at a table of the run: its columns, and those that they point at. */
type ForeignKey = {
  readonly child: QualifiedName;
  readonly partitioned: boolean;
  readonly columns: readonly string[];
  readonly parent: QualifiedName;
  readonly parentColumns: readonly string[];
  readonly parentTypes: readonly string[];
};

/** Rows that went because what they referred to went: by level, what refers to those goes next. Emptied by the server at commit. */
const REMOVED = "pg_temp.bucardo_removed";

/**
 * A row that the source deleted and that rows here refer to, which it does not know of. restore: it stays, and goes back to the source. delete: what
 * refers to it goes too, and the deletion with it. Rows of replication are written with foreign keys silent, so nobody else would notice. Returns how many
 * such rows there were.
 */
export async function keepParents(
  session: Session,
  definition: RunDefinition,
  meetings: readonly Meeting[],
  counts: Map<string, number>,
): Promise<number> {
  const keys = await readForeignKeys(
    session,
    meetings.map(({ fetched }) => fetched.link.target.name),
  );
  let all = 0;
  // Children of children, when they go: until nothing more is found.
  for (let found = -1; found !== 0;) {
    found = 0;
    for (const key of keys) {
      const parent = meetingOf(meetings, key.parent);
      if (parent === undefined) continue;
      const bereft = await findBereft(session, parent, meetingOf(meetings, key.child), key);
      if (bereft === 0) continue;
      const table = displayName(parent.fetched.link.name);
      counts.set(table, (counts.get(table) ?? 0) + bereft);
      all += bereft;
      const policy = definition.exchange!.foreignKeys === "delete" ? "delete" : "restore";
      await decide(session, parent, policy);
      await logConflicts(session, definition, parent, "foreign_key");
      if (policy === "restore") await restore(session, parent);
      else found += await deleteChildren(session, meetings, parent, key, DECIDED);
      await session.execute(sql("replicate.close-conflicts", `delete from ${CONFLICTS} where kind = 'foreign_key'`));
    }
  }
  return all;
}

function meetingOf(meetings: readonly Meeting[], table: QualifiedName): Meeting | undefined {
  return meetings.find(({ fetched }) => displayName(fetched.link.target.name) === displayName(table));
}

/** The parent is one of those just decided about. */
const DECIDED = `s.ctid in (select f.stage_row from ${CONFLICTS} f where f.kind = 'foreign_key')`;

/** Those that point at one of these tables. */
async function readForeignKeys(session: Session, parents: readonly QualifiedName[]): Promise<ForeignKey[]> {
  type Row = Pick<ForeignKey, "partitioned" | "columns" | "parentColumns" | "parentTypes"> &
    Readonly<Record<"schema" | "table" | "parentSchema" | "parentTable", string>>;
  const rows = await session.query<Row>(
    sql(
      "replicate.foreign-keys",
      `select n.nspname as schema, c.relname as "table", c.relkind = 'p' as partitioned, pn.nspname as "parentSchema", p.relname as "parentTable",
              array(select a.attname::text from unnest(f.conkey) with ordinality k (number, place) join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.number order by k.place) as columns,
              array(select a.attname::text from unnest(f.confkey) with ordinality k (number, place) join pg_attribute a on a.attrelid = f.confrelid and a.attnum = k.number order by k.place) as "parentColumns",
              array(select format_type(a.atttypid, a.atttypmod) from unnest(f.confkey) with ordinality k (number, place) join pg_attribute a on a.attrelid = f.confrelid and a.attnum = k.number order by k.place) as "parentTypes"
         from pg_constraint f
         join pg_class c on c.oid = f.conrelid join pg_namespace n on n.oid = c.relnamespace
         join pg_class p on p.oid = f.confrelid join pg_namespace pn on pn.oid = p.relnamespace
         join unnest($1::text[], $2::text[]) w (schema, name) on w.schema = pn.nspname and w.name = p.relname
        where f.contype = 'f' and coalesce((to_jsonb(f)->>'conparentid')::bigint, 0) = 0
        order by f.oid`,
      [parents.map(({ schema }) => schema), parents.map(({ name }) => name)],
    ),
  );
  return rows.map(({ schema, table, parentSchema, parentTable, ...key }) => ({
    ...key,
    child: { schema, name: table },
    parent: { schema: parentSchema, name: parentTable },
  }));
}

/** Rows that would refer to nothing. A child that goes as well, or comes to refer to another row, is none of them. */
async function findBereft(session: Session, parent: Meeting, child: Meeting | undefined, key: ForeignKey): Promise<number> {
  const { link, stage, plan } = parent.fetched;
  return session.execute(
    sql(
      "replicate.find-bereft",
      `insert into ${CONFLICTS} (captured, kind, stage_row, key, local_key, incoming_db, local_db, incoming_at, incoming_image, local_image)
select distinct on (s.ctid) ${plan.table.captured}, 'foreign_key', s.ctid, ${keyText(parent)}, ${keyText(parent)},
       coalesce(s.via[1], ${quoteLiteral(parent.source)}), ${quoteLiteral(parent.local)}, s.at, null::json, row_to_json(c)
  from ${stage} s
  join ${targetTable(link)} t on s.gone and ${sameKey(link)}
  join ${childOf(key)} c on ${refersText(key)}
 where not exists (select from ${stage} o where not o.gone and ${key.parentColumns.map((column) => `o.${stageColumn(link, column)} = t.${quoteIdent(column)}`).join(" and ")})
   and ${child === undefined ? "true" : staysText(child)}
 order by s.ctid`,
    ),
  );
}

function childOf({ child, partitioned }: ForeignKey): string {
  return `${partitioned ? "" : "only "}${quoteName(child)}`;
}

function refersText({ columns, parentColumns }: ForeignKey): string {
  return columns.map((column, index) => `c.${quoteIdent(column)} = t.${quoteIdent(parentColumns[index]!)}`).join(" and ");
}

/** The run does nothing with the child; what it brings refers to a row of its own side. */
function staysText(child: Meeting): string {
  const { link, stage } = child.fetched;
  return `not exists (select from ${stage} x where ${sameKey(link).replaceAll(/\bt\./g, "c.").replaceAll(/\bs\./g, "x.")})`;
}

function keyText({ fetched: { link } }: Meeting): string {
  return `array[${link.target.key.map(({ name }) => `s.${stageColumn(link, name)}::text`).join(", ")}]`;
}

async function decide(session: Session, { fetched }: Meeting, policy: "restore" | "delete"): Promise<void> {
  const [winner, why] =
    policy === "restore" ? ["local", "rows here refer to it: it comes back"] : ["incoming", "rows that refer to it go too"];
  await session.execute(
    sql(
      "replicate.decide-bereft",
      `update ${CONFLICTS} set winner = $2, why = $3 where captured = $1 and kind = 'foreign_key' and winner is null`,
      [fetched.plan.table.captured, winner, why],
    ),
  );
}

async function restore(session: Session, parent: Meeting): Promise<void> {
  const { stage, plan } = parent.fetched;
  const kept = `select stage_row from ${CONFLICTS} where captured = ${plan.table.captured} and kind = 'foreign_key'`;
  await sayChanged(session, parent, `select s.* from ${stage} s where s.ctid in (${kept})`);
  await session.execute(sql("replicate.restore", `delete from ${stage} s where s.ctid in (${kept})`));
}

/**
 * What refers to these gone rows, what refers to that, and so on. As deletions made here: everybody hears of them, the source too. Rows that the run brings anew are
 * left to it.
 */
async function deleteChildren(
  session: Session,
  meetings: readonly Meeting[],
  parent: Meeting,
  key: ForeignKey,
  which: string,
): Promise<number> {
  const { link, stage } = parent.fetched;
  await session.script(
    sql(
      "replicate.prepare-removed",
      `create temp table if not exists bucardo_removed (level integer, relation regclass, image jsonb) on commit delete rows; delete from ${REMOVED}`,
    ),
  );
  const gone = { from: `${stage} s, ${targetTable(link)} t`, where: `s.gone and ${sameKey(link)} and ${refersText(key)} and ${which}` };
  let all = await removeRows(session, meetings, key, gone, 1);
  let tables = all === 0 ? [] : [key.child];
  for (let level = 1; tables.length > 0; level++) {
    const hit: QualifiedName[] = [];
    for (const deeper of await readForeignKeys(session, tables)) {
      const refers = deeper.columns.map(
        (column, index) =>
          `c.${quoteIdent(column)} = (r.image->>${quoteLiteral(deeper.parentColumns[index]!)})::${deeper.parentTypes[index]}`,
      );
      const above = `r.level = ${level} and r.relation = ${quoteLiteral(quoteName(deeper.parent))}::regclass`;
      const removed = await removeRows(
        session,
        meetings,
        deeper,
        { from: `${REMOVED} r`, where: [above, ...refers].join(" and ") },
        level + 1,
      );
      all += removed;
      if (removed > 0) hit.push(deeper.child);
    }
    tables = hit;
  }
  return all;
}

/** Deletes rows `c` of the child and keeps them as removed at this level. */
async function removeRows(
  session: Session,
  meetings: readonly Meeting[],
  key: ForeignKey,
  { from, where }: { readonly from: string; readonly where: string },
  level: number,
): Promise<number> {
  const child = meetingOf(meetings, key.child);
  const [known] = await session.query<{ id: number; generation: number; key_columns: string[] }>(
    sql(
      "replicate.captured-child",
      `select t.id, t.generation, t.key_columns from bucardo.captured_table t where t.relation = $1::regclass`,
      [quoteName(key.child)],
    ),
  );
  const steps = [
    `bucardo_gone as (delete from ${childOf(key)} c using ${from} where ${where} and ${child === undefined ? "true" : staysText(child)} returning c.*)`,
  ];
  if (known !== undefined) {
    const keys = known.key_columns.map((_, index) => `k${index + 1}`).join(", ");
    const values = known.key_columns.map((column) => `bucardo_gone.${quoteIdent(column)}`).join(", ");
    steps.push(
      `told as (insert into ${quoteName(deltaTable(known.id, known.generation))} (xid, ${keys}) select txid_current(), ${values} from bucardo_gone)`,
    );
  }
  const relation = `${quoteLiteral(quoteName(key.child))}::regclass`;
  return session.execute(
    sql(
      "replicate.delete-bereft",
      `with ${steps.join(",\n")}\ninsert into ${REMOVED} select ${level}, ${relation}, to_jsonb(bucardo_gone.*) from bucardo_gone`,
    ),
  );
}

/**
 * What refers to a row that lost its unique value to another one and is not there any more: rows here go, and those that arrive are not taken. They are among the
 * changes of the side that lost.
 */
export async function followLosers(session: Session, meetings: readonly Meeting[]): Promise<void> {
  const { lost } = await session.one<{ lost: boolean }>(
    sql("replicate.any-losers", `select exists (select from ${CONFLICTS} where kind = 'unique' and winner <> 'none') as lost`),
  );
  if (!lost) return;
  const tables = meetings.map(({ fetched }) => fetched.link.target.name);
  for (const key of await readForeignKeys(session, tables)) {
    const parent = meetingOf(meetings, key.parent)!;
    const child = meetingOf(meetings, key.child);
    const { captured } = parent.fetched.plan.table;
    const losers = `exists (select from ${CONFLICTS} f where f.captured = ${captured} and f.kind = 'unique' and f.winner = 'incoming' and f.local_key = ${keyText(parent)})`;
    await deleteChildren(session, meetings, parent, key, losers);
    if (child === undefined) continue;
    const columns = key.columns.map((column) => `x.${stageColumn(child.fetched.link, column)}`);
    const refused = key.parentColumns.map((column, index) => `${columns[index]}::text = f.incoming_image->>${quoteLiteral(column)}`);
    const there = key.parentColumns.map((column, index) => `t.${quoteIdent(column)} = ${columns[index]}`);
    const orphans = `select x.ctid from ${child.fetched.stage} x, ${CONFLICTS} f
      where not x.gone and f.captured = ${captured} and f.kind = 'unique' and f.winner = 'local' and ${refused.join(" and ")}
        and not exists (select from ${targetTable(parent.fetched.link)} t where ${there.join(" and ")})`;
    await sayChanged(session, child, `select s.* from ${child.fetched.stage} s where s.ctid in (${orphans})`);
    await session.execute(sql("replicate.refuse-orphans", `delete from ${child.fetched.stage} s where s.ctid in (${orphans})`));
  }
}
