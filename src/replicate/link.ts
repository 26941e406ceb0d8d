import { readKeysOf, type KeyColumn } from "../capture/key-column.ts";
import type { Column } from "../catalog/column.ts";
import { carriedColumns, compareTables } from "../catalog/compare.ts";
import { canUpsert } from "../catalog/key.ts";
import { readTables, type TableShape } from "../catalog/table.ts";
import { applyTerms, type TermedTable } from "../catalog/terms.ts";
import { BucardoError, type Problem } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { prepared } from "../postgres/sql.ts";
import { canCopyBinary } from "./binary.ts";
import type { BatchTable, RunDefinition } from "./definition.ts";
import type { Member } from "./member.ts";
import { nameThere } from "./plan.ts";
import { isOurTrigger, readRelays } from "./relay.ts";
import { renamedColumns } from "./renamed.ts";
import type { AwakeObstacle, LinkColumn, TableLink } from "./table-link.ts";

/** By schema.name. */
export type Prints = ReadonlyMap<string, string>;

/**
 * How the rows of some tables cross, remembered per connection until one of the sides changes. `early`: prints of the target that were read in this run.
 * Errors: schema-mismatch with all problems of all tables in one report.
 */
export async function linkTables(
  source: Session,
  target: Member,
  definition: RunDefinition,
  tables: readonly BatchTable[],
  early: Prints = NO_PRINTS,
): Promise<Map<number, TableLink>> {
  const prints = tables.every((table) => early.has(displayName(nameThere(table)))) ? early : await readPrints(target.session, tables);
  const links = new Map<number, TableLink>();
  const changed: BatchTable[] = [];
  for (const table of tables) {
    const link = target.links.get(printOf(table, prints));
    if (link === undefined) changed.push(table);
    else links.set(table.captured, link);
  }
  if (changed.length === 0) return links;
  const here = await readTables(
    source,
    changed.map((table) => table.name),
    { bounds: false },
  );
  const there = await readTables(target.session, changed.map(nameThere), { bounds: false });
  const pairs: Pair[] = [];
  for (const table of changed) pairs.push(await pairOf(source, table, here, there));
  refuseMismatch(source, target.session, definition, pairs);
  const keys = {
    source: await readKeysOf(
      source,
      pairs.map(({ table, termed }) => ({ oid: termed.shape.oid, columns: table.keyColumns })),
    ),
    target: await readKeysOf(
      target.session,
      pairs.map(({ termed, there: other }) => ({ oid: other!.oid, columns: termed.key })),
    ),
  };
  for (const [index, { table, termed, there: other }] of pairs.entries()) {
    const own = { source: keys.source[index]!, target: keys.target[index]! };
    const link = await linkTable(source, target.session, table, own, termed, other!);
    links.set(table.captured, link);
    target.links.set(printOf(table, prints), link);
  }
  return links;
}

/** Changes whenever columns, indexes, rules, constraints or triggers of a table on the target change. One statement for all; no locks. */
export async function readPrints(target: Session, tables: readonly { readonly name: QualifiedName }[]): Promise<Prints> {
  const rows = await target.query<{ schema: string; name: string; print: string }>(
    prepared(
      "replicate.target-prints",
      `select n.nspname as schema, c.relname as name,
              md5(format('%s %s %s %s %s %s %s', c.oid, c.relkind,
                (select string_agg(format('%s %s', a.attnum, a.xmin), ',' order by a.attnum) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0),
                (select string_agg(format('%s %s', i.indexrelid, i.xmin), ',' order by i.indexrelid) from pg_index i where i.indrelid = c.oid),
                (select string_agg(format('%s %s', r.oid, r.xmin), ',' order by r.oid) from pg_rewrite r where r.ev_class = c.oid),
                (select string_agg(format('%s %s', f.oid, f.xmin), ',' order by f.oid) from pg_constraint f where f.conrelid = c.oid),
                (select string_agg(format('%s %s', t.oid, t.xmin), ',' order by t.oid) from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal))) as print
         from unnest($1::text[], $2::text[]) w (schema, name)
         join pg_namespace n on n.nspname = w.schema
         join pg_class c on c.relnamespace = n.oid and c.relname = w.name`,
      [tables.map((table) => nameThere(table).schema), tables.map((table) => nameThere(table).name)],
    ),
  );
  return new Map(rows.map((row) => [displayName(row), row.print]));
}

export const NO_PRINTS: Prints = new Map();

function printOf(table: BatchTable, prints: Prints): string {
  const { columns, name, terms = "" } = table.now;
  return `${table.captured} ${columns} ${prints.get(displayName(nameThere(table))) ?? "missing"}${terms === "" ? "" : ` ${name} ${terms}`}`;
}

type Pair = {
  readonly table: BatchTable;
  /** The source's as it is, and as the target is to see it. */
  readonly here: TableShape;
  readonly termed: TermedTable;
  readonly there: TableShape | undefined;
  readonly problems: readonly Problem[];
};

async function pairOf(
  source: Session,
  table: BatchTable,
  shapes: ReadonlyMap<string, TableShape>,
  others: ReadonlyMap<string, TableShape>,
): Promise<Pair> {
  const here = shapes.get(displayName(table.name));
  // dropped between the run's snapshot and now: the next run tells
  if (here === undefined)
    throw new BucardoError("run-void", `${displayName(table.name)} vanished during the run`, { table: displayName(table.name) });
  const { table: termed, problems } = await applyTerms(source, here, table.keyColumns, table.terms);
  return { table, here, termed, there: others.get(displayName(nameThere(table))), problems };
}

function refuseMismatch(source: Session, target: Session, definition: RunDefinition, pairs: readonly Pair[]): void {
  const loose = new Set(definition.relations.filter(({ strict }) => strict === false).map(({ name }) => displayName(name)));
  const problems = pairs.flatMap(({ table, here, termed, there: other, problems: own }) => {
    if (own.length > 0) return own;
    const chosen = termed.readings !== null;
    const renamed =
      other === undefined || chosen ? [] : renamedColumns(table.before, table.now).filter(({ from, to }) => isLeft(other, from, to));
    const options = {
      strict: definition.strict && !chosen && !loose.has(displayName(table.name)),
      extraColumns: chosen ? "ignored" : true,
      computed: termed.computed,
      key: termed.key,
      db: target.name,
    } as const;
    return [
      ...nullableKey(here, table.keyColumns, source.name),
      ...renamed.map((column) => renameProblem(other!, column, source.name, target.name)),
      ...compareTables(termed.shape, other === undefined ? undefined : withNames(other, renamed), options),
    ];
  });
  const errors = problems.filter((problem) => problem.grade === "error");
  const [first] = errors;
  if (first === undefined) return;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  throw new BucardoError("schema-mismatch", `${source.name} and ${target.name} do not fit together: ${first.what}${more}`, {
    db: target.name,
    sync: definition.sync.name,
    ...(first.table !== undefined && { table: first.table }),
    advice: `${first.remedy}${refillAdvice(definition.sync.name, pairs)}`,
    problems,
  });
}

/** Renamed on the source and not yet on the target. */
function isLeft({ columns }: TableShape, from: string, to: string): boolean {
  return columns.some(({ name }) => name === from) && !columns.some(({ name }) => name === to);
}

function renameProblem(table: TableShape, { from, to }: { from: string; to: string }, source: string, db: string): Problem {
  return {
    grade: "error",
    db,
    table: displayName(table),
    what: `column ${from} of ${displayName(table)} was renamed to ${to} on ${source}`,
    remedy: `On ${db}: alter table ${quoteName(table)} rename column ${quoteIdent(from)} to ${quoteIdent(to)};`,
  };
}

/** The table with its columns as they are going to be called. */
function withNames(table: TableShape, renamed: readonly { from: string; to: string }[]): TableShape {
  if (renamed.length === 0) return table;
  const names = new Map(renamed.map(({ from, to }) => [from, to]));
  return { ...table, columns: table.columns.map((column) => ({ ...column, name: names.get(column.name) ?? column.name })) };
}

/** A table or column that rows had reached before is missing: to make it again does not bring back what was in it. */
function refillAdvice(sync: string, pairs: readonly Pair[]): string {
  const lost = pairs.some(({ table: { before, now }, termed, there }) => {
    if (termed.readings !== null) return false;
    const columns = there?.columns.map((column) => column.name) ?? [];
    const names = new Map(now.marks.map(([column, number]) => [number, column]));
    const renamed = new Set(renamedColumns(before, now).map(({ from }) => from));
    return (before?.marks ?? []).some(([column, number]) => names.has(number) && !renamed.has(column) && !columns.includes(column));
  });
  return lost ? ` What was there is gone, so then: \`bucardo update sync ${sync} onetimecopy=1\`.` : "";
}

/** A row whose key is NULL is found by nothing. The key was NOT NULL when capture began. */
function nullableKey(shape: TableShape, key: readonly string[], db: string): Problem[] {
  return shape.columns
    .filter((column) => key.includes(column.name) && !column.notNull)
    .map((column) => ({
      grade: "error",
      db,
      table: displayName(shape),
      what: `key column ${column.name} may be NULL on ${db}`,
      remedy: `On ${db}: alter table ${quoteName(shape)} alter column ${quoteIdent(column.name)} set not null;`,
    }));
}

type Keys = { readonly source: readonly KeyColumn[]; readonly target: readonly KeyColumn[] };

async function linkTable(
  source: Session,
  target: Session,
  table: BatchTable,
  keys: Keys,
  termed: TermedTable,
  there: TableShape,
): Promise<TableLink> {
  const { shape: here, key } = termed;
  const byName = new Map(there.columns.map((column) => [column.name, column]));
  const carried = new Set([...carriedColumns(here, there), ...key]);
  const pairs = here.columns
    .filter((column) => carried.has(column.name))
    .map((column) => ({ source: column, target: byName.get(column.name)! }));
  const columns = pairs.map(({ target: column }) => describeColumn(column, key, keys.target));
  const canArbitrate = there.keys.some(
    (each) => canUpsert(each) && each.columns.length === key.length && key.every((name) => each.columns.includes(name)),
  );
  const partitioned = there.kind === "partitioned";
  const strategy =
    canArbitrate &&
    there.rules.length === 0 &&
    columns.every((column) => column.settable || column.keyPosition !== null) &&
    !(partitioned && target.serverVersion < 110000)
      ? "upsert"
      : "replace";
  return {
    name: table.name,
    source: { partitioned: here.kind === "partitioned", key: keys.source, from: termed.from },
    target: { name: { schema: there.schema, name: there.name }, partitioned, key: keys.target },
    columns,
    binary: canCopyBinary(pairs, { source: source.serverVersion, target: target.serverVersion }),
    strategy,
    relays: await readRelays(target, there, key),
    refersTo: there.foreignKeys.map((reference) => displayName(reference.to)),
    awake: awakeObstacles(there, strategy),
  };
}

/** Triggers and rules would change rows on their own, and replacing rows by DELETE and INSERT would set foreign keys off (hazard 9). */
function awakeObstacles(there: TableShape, strategy: TableLink["strategy"]): AwakeObstacle[] {
  const fires = ({ enabled }: { readonly enabled: string }): boolean => enabled === "O" || enabled === "A";
  const triggers = there.triggers.filter((trigger) => fires(trigger) && !trigger.internal && !isOurTrigger(trigger.name));
  const obstacles: AwakeObstacle[] = [
    ...[...new Set(triggers.map(({ name }) => name))].map((name) => ({
      what: `has the trigger ${name}, which would fire for replicated rows`,
      remedy: `alter table ${quoteName(there)} disable trigger ${quoteIdent(name)}; or let our user set session_replication_role.`,
    })),
    // Even a disabled one forbids INSERT .. ON CONFLICT.
    ...there.rules.map(({ name }) => ({
      what: `has the rule ${name}`,
      remedy: `drop rule ${quoteIdent(name)} on ${quoteName(there)}; or let our user set session_replication_role.`,
    })),
  ];
  if (strategy === "replace" && obstacles.length === 0) {
    obstacles.push({
      what: "has no immediate unique index over its key that INSERT .. ON CONFLICT could use, or columns that it may not set",
      remedy: null,
    });
  }
  return obstacles;
}

/**
 * ON CONFLICT DO UPDATE may set everything but what is GENERATED ALWAYS (hazard 26). Key columns need setting only where equal keys can differ.
 */
function describeColumn(column: Column, keyColumns: readonly string[], key: readonly KeyColumn[]): LinkColumn {
  const position = keyColumns.indexOf(column.name);
  const written = column.generated === "";
  return {
    name: column.name,
    stageType: column.baseType,
    keyPosition: position === -1 ? null : position,
    written,
    settable: written && column.identity !== "a" && (position === -1 || !key[position]!.equalMeansSame),
  };
}
