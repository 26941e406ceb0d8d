import { displayName, type QualifiedName } from "../model/name.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { LeafState, Shape } from "../capture/shape.ts";
import type { Batch, BatchTable, RunDefinition } from "./definition.ts";

/**
 * What a run does to one table.
 *   keys    the pending keys travel; nothing else on the target is touched
 *   refill  the table was truncated: everything on the target goes, and what is there now is among the pending keys
 *   recopy  deltas do not tell enough (rewrite, lost triggers, first copy): the whole table travels
 */
export type TablePlan = {
  readonly table: BatchTable;
  readonly action: "keys" | "refill" | "recopy";
  /** Conditions of parts that left the table or were truncated: their rows go first. */
  readonly gone: readonly string[];
  /** Parts that joined the table since the checkpoint: all their keys are pending. */
  readonly joined: readonly LeafState[];
  /** For people and logs. */
  readonly why: string;
};

/** Null: nothing to do. `copy`: why the whole table is wanted, whatever else is known of it. Pure; every table of hazards 2 and 19 is a row of its test. */
export function planTable(table: BatchTable, copy: string | null = null): TablePlan | null {
  const plan = (action: TablePlan["action"], why: string, gone: string[] = [], joined: LeafState[] = []): TablePlan => ({
    table,
    action,
    gone,
    joined,
    why,
  });
  const { before, now } = table;
  const whole =
    copy ??
    (table.recopy ? "a copy was asked for" : before === null ? null : (otherTerms(table, before) ?? whatKeysDoNotTell(before, now)));
  if (whole !== null) return plan("recopy", whole);
  const truncated = new Set(table.truncated);
  if (truncated.has(table.oid)) {
    // A part that was away when the root was truncated, or came later, kept its rows.
    const kept = table.partitioned ? now.leaves.filter((leaf) => !truncated.has(leaf.oid)) : [];
    return plan("refill", "the table was truncated", [], kept);
  }
  const gone = leavesGone(before, now, truncated);
  if (gone.some((leaf) => !isPortable(leaf))) return plan("recopy", "a partition without a portable bound left or was truncated");
  if (gone.length > 0 && (table.terms?.columns ?? null) !== null)
    return plan("recopy", "a partition left or was truncated, and the target has other columns");
  const joined = before === null ? [] : leavesJoined(before, now);
  const bounds = gone.map((leaf) => leaf.bound ?? "true");
  if (table.deltas === 0 && bounds.length === 0 && joined.length === 0) return null;
  return plan("keys", table.deltas > 0 ? "keys changed" : "partitions changed", bounds, joined);
}

/**
 * Parts whose rows at the checkpoint are on the target and here no more. By their bounds of then: that of a default partition shrinks when
 * another one takes over what it held.
 */
function leavesGone(before: Shape | null, now: Shape, truncated: ReadonlySet<number>): LeafState[] {
  const old = new Map((before ?? now).leaves.map((leaf) => [leaf.oid, leaf]));
  const here = new Map(now.leaves.map((leaf) => [leaf.oid, leaf]));
  const left = [...old.values()].filter((leaf) => !here.has(leaf.oid));
  const emptied = [...here.values()].filter((leaf) => truncated.has(leaf.oid)).map((leaf) => old.get(leaf.oid) ?? leaf);
  return [...left, ...emptied];
}

/** Parts all of whose keys travel: new ones, and those that came back below a new branch, whose triggers were not there from the beginning. */
function leavesJoined(before: Shape, now: Shape): LeafState[] {
  const old = new Map(before.leaves.map((leaf) => [leaf.oid, leaf]));
  const parts = new Set(before.triggers.map(({ oid }) => oid));
  const leaves = new Set(now.leaves.map(({ oid }) => oid));
  const newBranch = now.triggers.some(({ oid }) => !parts.has(oid) && !leaves.has(oid));
  return now.leaves.filter((leaf) => !old.has(leaf.oid) || (newBranch && old.get(leaf.oid)!.bound !== leaf.bound));
}

/**
 * Changes that left no deltas (hazard 2). ALTER TABLE that rewrites makes a new file *and* touches the columns; VACUUM FULL, CLUSTER and
 * TRUNCATE make only a new file, and a default or a comment touches only the columns. And whatever was written while a trigger of ours was away.
 */
function whatKeysDoNotTell(before: Shape, now: Shape): string | null {
  // Two tables that exchange their names, as a rebuild beside the old one does, leave no delta.
  if (before.name !== now.name) return "the table got its name since the checkpoint";
  const marks = new Map(before.marks.map(([name, number, touched]) => [name, { number, touched }]));
  if (now.marks.some(([name, number]) => (marks.get(name)?.number ?? number) !== number))
    return "a column was dropped and another got its name";
  // ATTACH and INHERIT touch every column, and so does what undoes them; statements that named the parent meanwhile were not seen.
  if (now.marks.length > 0 && now.marks.every(([name, , touched]) => marks.has(name) && marks.get(name)!.touched !== touched))
    return "the table may have been a part of another since the checkpoint";
  const old = new Map(before.leaves.map((leaf) => [leaf.oid, leaf]));
  const rewritten = now.leaves.some((leaf) => {
    const was = old.get(leaf.oid);
    return was !== undefined && was.filenode !== leaf.filenode && was.attributes !== leaf.attributes;
  });
  if (rewritten) return "the table was rewritten since the checkpoint";
  const prints = new Map(before.triggers.map(({ oid, print }) => [oid, print]));
  if (now.triggers.some(({ oid, print }) => prints.has(oid) && prints.get(oid) !== print))
    return "its triggers were away since the checkpoint";
  return null;
}

/** Under another name, with other columns or for other rows than at the checkpoint. Who copied it before its first run did so under the terms of now. */
function otherTerms({ first, now }: BatchTable, before: Shape): string | null {
  if (before.terms === undefined && first === true) return null;
  return (before.terms ?? "") === (now.terms ?? "") ? null : "its name, columns or rows on the target were changed";
}

/** The bound of a hash partition calls a function with the OID of its parent, which means nothing on another server. */
function isPortable(leaf: LeafState): boolean {
  return leaf.bound !== null && !leaf.bound.includes("satisfies_hash_partition(");
}

/** The plans of a run in the order of the sync. onetimecopy=2 looks which tables are empty on the target. */
export async function planTables(target: Session, definition: RunDefinition, batch: Batch): Promise<TablePlan[]> {
  const plans: TablePlan[] = [];
  const byName = new Map(batch.tables.map((table) => [displayName(table.name), table]));
  for (const relation of definition.relations) {
    const table = byName.get(displayName(relation.name));
    if (relation.kind !== "table" || table === undefined) continue;
    const plan = planTable(table, await whyCopy(target, definition, table));
    if (plan !== null) plans.push(plan);
  }
  return plans;
}

async function whyCopy(target: Session, { onetimecopy }: RunDefinition, table: BatchTable): Promise<string | null> {
  if (onetimecopy === 1) return "a copy was asked for";
  // Whether the source is empty too is not asked: truncated since the snapshot it looks so. A copy is, like all reading, held against its file.
  if (onetimecopy === 2 && (await isEmpty(target, table))) return "the table is empty on the target";
  const added = storedSince(table);
  if (added.length === 0 || (await holdsStored(target, table, added))) return null;
  return COLUMN_WITH_VALUE;
}

const COLUMN_WITH_VALUE = "a column was added with a value for the rows that were there";

/** Columns that were added since the checkpoint and have a value in the catalog for the rows that were there. */
function storedSince(table: BatchTable): string[] {
  const old = new Map((table.before?.leaves ?? []).map((leaf) => [leaf.oid, leaf.stored]));
  return [...new Set(table.now.leaves.flatMap((leaf) => leaf.stored.filter((value) => old.get(leaf.oid)?.includes(value) === false)))];
}

/**
 * The plans of a run whose target cannot be asked anything. onetimecopy=2 copies what no run has carried there; what another server may have by itself travels.
 * `conditions`: it takes PostgreSQL's conditions of partitions.
 */
export function planUnasked({ relations, onetimecopy }: RunDefinition, batch: Batch, conditions: boolean): TablePlan[] {
  const byName = new Map(batch.tables.map((table) => [displayName(table.name), table]));
  return relations.flatMap((relation) => {
    const table = relation.kind === "table" ? byName.get(displayName(relation.name)) : undefined;
    if (table === undefined) return [];
    const asked = onetimecopy === 1 || (onetimecopy === 2 && table.first === true);
    const plan = planTable(table, asked ? "a copy was asked for" : storedSince(table).length > 0 ? COLUMN_WITH_VALUE : null);
    if (plan === null) return [];
    return plan.gone.length === 0 || conditions ? [plan] : [planTable(table, "a partition left or was truncated")!];
  });
}

/**
 * A column with a default is added without a rewrite since 11: older rows take the value from the catalog. Where the target's catalog holds the same
 * value, as for constants, the rows are equal already; a default like now() gave it another one.
 */
async function holdsStored(target: Session, table: BatchTable, stored: readonly string[]): Promise<boolean> {
  if (target.serverVersion < 110000) return false;
  const there = nameThere(table);
  const { lacking } = await target.one<{ lacking: boolean }>(
    sql(
      "replicate.holds-stored",
      `with recursive member (oid) as (
         select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2
         union all
         select i.inhrelid from member m join pg_class c on c.oid = m.oid and c.relkind = 'p' join pg_inherits i on i.inhparent = m.oid
       )
       select exists (
         select from member m join pg_class c on c.oid = m.oid and c.relkind <> 'p', unnest($3::text[]) value
          where not exists (select from pg_attribute a where a.attrelid = m.oid and a.atthasmissing and not a.attisdropped
                                                         and format('%s %s', a.attname, md5(a.attmissingval::text)) = value)) as lacking`,
      [there.schema, there.name, stored],
    ),
  );
  return !lacking;
}

/** As the target calls it. */
export function nameThere({ name, terms }: Pick<BatchTable, "name" | "terms">): QualifiedName {
  return terms?.name ?? name;
}

/** Without the rows of children, which are tables of their own. One that does not exist counts as empty: to copy it is then refused with the reason. */
async function isEmpty(session: Session, table: BatchTable): Promise<boolean> {
  const there = nameThere(table);
  const [found] = await session.query<{ partitioned: boolean }>(
    sql(
      "replicate.is-partitioned",
      "select c.relkind = 'p' as partitioned from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2",
      [there.schema, there.name],
    ),
  );
  if (found === undefined) return true;
  const { empty } = await session.one<{ empty: boolean }>(
    sql("replicate.is-empty", `select not exists (select from ${found.partitioned ? "" : "only "}${quoteName(there)}) as empty`),
  );
  return empty;
}
