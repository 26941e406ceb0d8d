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
  readonly schema: string;
  readonly table: string;
  readonly partitioned: boolean;
  readonly columns: readonly string[];
  readonly parent: QualifiedName;
  readonly parentColumns: readonly string[];
};

/**
 * A row that the source deleted and that rows here refer to, which it does not know of. restore: it stays, and goes back to the source. delete: what
 * refers to it goes too, and the deletion with it. Rows of replication are written with foreign keys silent, so nobody else would notice.
 */
export async function keepParents(
  session: Session,
  definition: RunDefinition,
  meetings: readonly Meeting[],
  counts: Map<string, number>,
): Promise<void> {
  const keys = await readForeignKeys(
    session,
    meetings.map(({ fetched }) => fetched.link.target.name),
  );
  // Children of children, when they go: until nothing more is found.
  for (let found = -1; found !== 0;) {
    found = 0;
    for (const key of keys) {
      const parent = meetings.find(({ fetched }) => displayName(fetched.link.target.name) === displayName(key.parent));
      if (parent === undefined) continue;
      const child = meetings.find(
        ({ fetched }) => displayName(fetched.link.target.name) === displayName({ schema: key.schema, name: key.table }),
      );
      const bereft = await findBereft(session, parent, child, key);
      if (bereft === 0) continue;
      const table = displayName(parent.fetched.link.name);
      counts.set(table, (counts.get(table) ?? 0) + bereft);
      const policy = definition.exchange!.foreignKeys === "delete" && child !== undefined ? "delete" : "restore";
      await decide(session, parent, policy);
      await logConflicts(session, definition, parent, "foreign_key");
      if (policy === "restore") await restore(session, parent);
      else found += await deleteChildren(session, parent, child!, key);
      await session.execute(sql("replicate.close-conflicts", `delete from ${CONFLICTS} where kind = 'foreign_key'`));
    }
  }
}

async function readForeignKeys(session: Session, parents: readonly QualifiedName[]): Promise<ForeignKey[]> {
  const rows = await session.query<Omit<ForeignKey, "parent"> & { parent_schema: string; parent_table: string }>(
    sql(
      "replicate.foreign-keys",
      `select n.nspname as schema, c.relname as "table", c.relkind = 'p' as partitioned, pn.nspname as parent_schema, p.relname as parent_table,
              array(select a.attname::text from unnest(f.conkey) with ordinality k (number, place) join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.number order by k.place) as columns,
              array(select a.attname::text from unnest(f.confkey) with ordinality k (number, place) join pg_attribute a on a.attrelid = f.confrelid and a.attnum = k.number order by k.place) as "parentColumns"
         from pg_constraint f
         join pg_class c on c.oid = f.conrelid join pg_namespace n on n.oid = c.relnamespace
         join pg_class p on p.oid = f.confrelid join pg_namespace pn on pn.oid = p.relnamespace
         join unnest($1::text[], $2::text[]) w (schema, name) on w.schema = pn.nspname and w.name = p.relname
        where f.contype = 'f' and coalesce((to_jsonb(f)->>'conparentid')::bigint, 0) = 0
        order by f.oid`,
      [parents.map(({ schema }) => schema), parents.map(({ name }) => name)],
    ),
  );
  return rows.map(({ parent_schema, parent_table, ...key }) => ({ ...key, parent: { schema: parent_schema, name: parent_table } }));
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

function childOf({ schema, table, partitioned }: ForeignKey): string {
  return `${partitioned ? "" : "only "}${quoteName({ schema, name: table })}`;
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

/** As deletions made here: everybody hears of them, the source too. */
async function deleteChildren(session: Session, parent: Meeting, child: Meeting, key: ForeignKey): Promise<number> {
  const { link, stage } = child.fetched;
  const columns = link.target.key.map(({ name }) => ({ name: quoteIdent(name), column: stageColumn(link, name) }));
  const orphans = `select ${columns.map(({ name, column }) => `c.${name} as ${column}`).join(", ")}
  from ${CONFLICTS} f join ${parent.fetched.stage} s on s.ctid = f.stage_row join ${targetTable(parent.fetched.link)} t on ${sameKey(parent.fetched.link)}
  join ${childOf(key)} c on ${refersText(key)}
 where f.kind = 'foreign_key' and ${staysText(child)}`;
  await sayChanged(session, child, orphans);
  const names = columns.map(({ column }) => column).join(", ");
  return session.execute(
    sql("replicate.delete-bereft", `insert into ${stage} (gone, ${names}) select distinct true, ${names} from (${orphans}) o`),
  );
}
