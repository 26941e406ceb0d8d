import { readKeyColumns, type KeyColumn } from "../capture/key-column.ts";
import { carriedColumns, compareTables } from "../catalog/compare.ts";
import { readTables, type TableShape } from "../catalog/table.ts";
import { BucardoError, type Problem } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { canCopyBinary } from "../replicate/binary.ts";
import type { Member } from "../replicate/member.ts";

/** How the rows of a table cross. */
export type CopyLink = {
  /** As the target calls it. */
  readonly name: QualifiedName;
  /** In the source's order. */
  readonly columns: readonly { readonly name: string; readonly stageType: string; readonly variable: boolean }[];
  readonly binary: boolean;
  /** COPY can read the source's table by itself: none of the columns is generated there. */
  readonly readable: boolean;
  /** Of which pieces are ranges, as the source knows it; null: not cut. */
  readonly key: readonly KeyColumn[] | null;
};

export type LinkedTable = { readonly link: CopyLink; readonly source: TableShape; readonly target: TableShape };

export type LinkRequest = { readonly name: QualifiedName; readonly key: readonly string[] | null };

/** By `displayName`. Errors: schema-mismatch with all problems of all tables in one report. */
export async function linkCopies(source: Session, target: Member, tables: readonly LinkRequest[]): Promise<Map<string, LinkedTable>> {
  const names = tables.map((table) => table.name);
  const [here, there] = [await readTables(source, names, { bounds: false }), await readTables(target.session, names, { bounds: false })];
  const problems = tables.flatMap(({ name, key }) =>
    problemsOf(name, here.get(displayName(name)), there.get(displayName(name)), { key: key ?? [], source, target }),
  );
  refuse(problems, source, target.session);
  const linked = new Map<string, LinkedTable>();
  for (const { name, key } of tables) {
    const [from, to] = [here.get(displayName(name))!, there.get(displayName(name))!];
    linked.set(displayName(name), {
      link: await linkTable(source, target.session, name, from, to, key),
      source: from,
      target: to,
    });
  }
  return linked;
}

type Sides = { readonly key: readonly string[]; readonly source: Session; readonly target: Member };

function problemsOf(name: QualifiedName, here: TableShape | undefined, there: TableShape | undefined, sides: Sides): Problem[] {
  const { source, target, key } = sides;
  const problem = (db: string, what: string, remedy: string): Problem => ({ grade: "error", db, table: displayName(name), what, remedy });
  if (here === undefined) return [problem(source.name, `does not exist on ${source.name}`, "Leave it out, or create it.")];
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
  const awake = there === undefined || target.replica ? [] : there.triggers.filter(({ enabled, internal }) => enabled !== "D" && !internal);
  return [
    ...compareTables(here, there, { strict: false, key, db: target.session.name }),
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

async function linkTable(
  source: Session,
  target: Session,
  name: QualifiedName,
  here: TableShape,
  there: TableShape,
  key: readonly string[] | null,
): Promise<CopyLink> {
  const byName = new Map(there.columns.map((column) => [column.name, column]));
  const carried = new Set(carriedColumns(here, there));
  const pairs = here.columns
    .filter((column) => carried.has(column.name))
    .map((column) => ({ source: column, target: byName.get(column.name)! }));
  return {
    name,
    columns: pairs.map((pair) => ({ name: pair.source.name, stageType: pair.target.baseType, variable: pair.source.length < 0 })),
    binary: canCopyBinary(pairs, { source: source.serverVersion, target: target.serverVersion }),
    readable: pairs.every((pair) => pair.source.generated === ""),
    key: key === null ? null : await readKeyColumns(source, here.oid, key),
  };
}
