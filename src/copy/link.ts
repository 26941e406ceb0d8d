import { readKeysOf, type KeyColumn } from "../capture/key-column.ts";
import { carriedColumns, compareTables } from "../catalog/compare.ts";
import { readTables, type TableShape } from "../catalog/table.ts";
import { applyTerms, type TermedTable } from "../catalog/terms.ts";
import { BucardoError, type Problem } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { Terms } from "../model/terms.ts";
import type { Session } from "../postgres/session.ts";
import { canCopyBinary } from "../replicate/binary.ts";
import type { Member } from "../replicate/member.ts";

/** How the rows of a table cross. */
export type CopyLink = {
  /** On the source; the one that is told. */
  readonly name: QualifiedName;
  /** On the target. */
  readonly there: QualifiedName;
  /** In the source's order, as the target calls them; `own`: the source's column, null where it is computed. */
  readonly columns: readonly {
    readonly name: string;
    readonly own: string | null;
    readonly stageType: string;
    readonly variable: boolean;
  }[];
  /** What the columns are, and which rows travel (catalog/terms.ts); null: those of the table. */
  readonly readings: TermedTable["readings"];
  readonly filter: string | null;
  readonly binary: boolean;
  /** COPY can read the source's table by itself: none of the columns is generated there. */
  readonly readable: boolean;
  /** Of which pieces are ranges, as the source knows it; null: not cut. */
  readonly key: readonly KeyColumn[] | null;
  /** The same by the names of the target. */
  readonly keyThere: readonly KeyColumn[] | null;
};

export type LinkedTable = { readonly link: CopyLink; readonly source: TableShape; readonly target: TableShape };

export type LinkRequest = { readonly name: QualifiedName; readonly key: readonly string[] | null; readonly terms?: Terms | undefined };

/** By `displayName` of the source's. Errors: schema-mismatch with all problems of all tables in one report. */
export async function linkCopies(source: Session, target: Member, tables: readonly LinkRequest[]): Promise<Map<string, LinkedTable>> {
  const names = tables.map((table) => table.name);
  const here = await readTables(source, names, { bounds: false });
  const there = await readTables(target.session, tables.map(nameThere), { bounds: false });
  const pairs: Pair[] = [];
  for (const table of tables) {
    const shape = here.get(displayName(table.name));
    const termed = shape === undefined ? null : await applyTerms(source, shape, table.key ?? [], table.terms);
    pairs.push({ table, shape, termed, other: there.get(displayName(nameThere(table))) });
  }
  refuse(
    pairs.flatMap((pair) => problemsOf(pair, source, target)),
    source,
    target.session,
  );
  const keyed = pairs.filter(({ table }) => table.key !== null);
  const found = await readKeysOf(
    source,
    keyed.map(({ table, termed }) => ({ oid: termed!.table.shape.oid, columns: table.key! })),
  );
  const keys = new Map(keyed.map(({ table }, index) => [displayName(table.name), found[index]!]));
  const linked = new Map<string, LinkedTable>();
  for (const { table, shape, termed, other } of pairs) {
    linked.set(displayName(table.name), {
      link: linkTable(source, target.session, table, keys.get(displayName(table.name)) ?? null, termed!.table, other!),
      source: shape!,
      target: other!,
    });
  }
  return linked;
}

type Pair = {
  readonly table: LinkRequest;
  readonly shape: TableShape | undefined;
  readonly termed: Awaited<ReturnType<typeof applyTerms>> | null;
  readonly other: TableShape | undefined;
};

function nameThere({ name, terms }: LinkRequest): QualifiedName {
  return terms?.name ?? name;
}

function problemsOf({ table: { name }, shape: here, termed, other: there }: Pair, source: Session, target: Member): Problem[] {
  const problem = (db: string, what: string, remedy: string): Problem => ({ grade: "error", db, table: displayName(name), what, remedy });
  if (here === undefined || termed === null)
    return [problem(source.name, `does not exist on ${source.name}`, "Leave it out, or create it.")];
  if (!["plain", "partitioned", "partition"].includes(here.kind))
    return [
      problem(source.name, `is a ${here.kind} on ${source.name}`, "Only tables that hold rows themselves can be copied: leave it out."),
    ];
  const foreign = [...here.foreignLeaves, ...(there?.foreignLeaves ?? [])].map(displayName);
  if (foreign.length > 0)
    return [
      problem(
        source.name,
        `has foreign partitions (${foreign.join(", ")}), whose rows are another server's`,
        "Leave it out, or detach them.",
      ),
    ];
  if (termed.problems.length > 0) return [...termed.problems];
  const { shape, key, computed, readings } = termed.table;
  const awake = there === undefined || target.replica ? [] : there.triggers.filter(({ enabled, internal }) => enabled !== "D" && !internal);
  return [
    ...compareTables(shape, there, {
      strict: false,
      key,
      computed,
      db: target.session.name,
      ...(readings !== null && { extraColumns: "ignored" as const }),
    }),
    ...[...new Set(awake.map((trigger) => trigger.name))].map((trigger) =>
      problem(
        target.session.name,
        `has the trigger ${trigger}, which would fire for copied rows`,
        `Disable it for the time of the copy, or let our user set session_replication_role.`,
      ),
    ),
  ];
}

function refuse(problems: readonly Problem[], source: Session, target: Session): void {
  const errors = problems.filter((problem) => problem.grade === "error");
  const [first] = errors;
  if (first === undefined) return;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  throw new BucardoError("schema-mismatch", `${source.name} cannot be copied to ${target.name}: ${first.table}: ${first.what}${more}`, {
    db: first.db ?? target.name,
    ...(first.table !== undefined && { table: first.table }),
    advice: first.remedy,
    problems,
  });
}

function linkTable(
  source: Session,
  target: Session,
  { name }: LinkRequest,
  key: readonly KeyColumn[] | null,
  { shape: here, key: called, readings, filter }: TermedTable,
  there: TableShape,
): CopyLink {
  const own = new Map(readings?.map((reading) => [reading.name, reading.column]) ?? []);
  const byName = new Map(there.columns.map((column) => [column.name, column]));
  const carried = new Set(carriedColumns(here, there));
  const pairs = here.columns
    .filter((column) => carried.has(column.name))
    .map((column) => ({ source: column, target: byName.get(column.name)! }));
  return {
    name,
    there: { schema: there.schema, name: there.name },
    columns: pairs.map((pair) => ({
      name: pair.source.name,
      own: readings === null ? pair.source.name : (own.get(pair.source.name) ?? null),
      stageType: pair.target.baseType,
      variable: pair.source.length < 0,
    })),
    readings,
    filter,
    binary: canCopyBinary(pairs, { source: source.serverVersion, target: target.serverVersion }),
    readable: readings === null && filter === null && pairs.every((pair) => pair.source.generated === ""),
    key,
    keyThere: key?.map((column, index) => ({ ...column, name: called[index]! })) ?? null,
  };
}
