import type { Problem } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Finding } from "./finding.ts";
import { chooseKey, refusal } from "./key.ts";
import { standIn } from "./stand-in.ts";
import type { TableShape } from "./table.ts";

export type SourceCheck = {
  /** Name of the source database, for the report. */
  readonly db: string;
  /** Key chosen by hand, else null. */
  readonly wanted: readonly string[] | null;
  /** False: it is only read, whole. */
  readonly captured?: boolean;
  readonly hint?: string | null;
};

/** Every reason why a table cannot be captured and read on its source. */
export function checkSource(table: QualifiedName, shape: TableShape | undefined, check: SourceCheck): Problem[] {
  const findings = shape === undefined ? [missing(check)] : checkTable(shape, check);
  // Strictness is about differences between two sides; here is only one.
  return findings.map(({ grade, what, remedy }) => ({
    grade: grade === "strict" ? "error" : grade,
    db: check.db,
    table: displayName(table),
    what,
    remedy,
  }));
}

/** What our user lacks to read a table whole and to keep writers off it: what a table without key needs. */
export function checkPrivileges(table: QualifiedName, shape: TableShape, db: string): Problem[] {
  return privileges(shape, db).map(({ what, remedy }) => ({ grade: "error", db, table: displayName(table), what, remedy }));
}

function missing({ db, hint }: SourceCheck): Finding {
  return {
    grade: "error",
    what: `does not exist on ${db}${hint ? `; ${hint} does` : ""}`,
    remedy: "Take it out of the sync, or create it.",
  };
}

function checkTable(shape: TableShape, check: SourceCheck): Finding[] {
  const instead = standIn(shape);
  // Nothing else about it is worth a report.
  if (instead !== null)
    return [{ grade: "error", what: `is ${instead} on ${check.db}`, remedy: "Replicate ordinary or partitioned tables only." }];
  if (check.captured === false) return [...privileges({ ...shape, withoutTrigger: [] }, check.db), ...foreignLeaves(shape, check.db)];
  return [...logging(shape, check.db), ...key(shape, check), ...privileges(shape, check.db), ...foreignLeaves(shape, check.db)];
}

function logging(shape: TableShape, db: string): Finding[] {
  if (shape.persistence !== "u") return [];
  return [
    {
      grade: "warning",
      what: `is unlogged on ${db}: a crash of the server empties it without a delta, and targets keep the rows`,
      remedy: `On ${db}: alter table ${quoteName(shape)} set logged;`,
    },
  ];
}

function key(shape: TableShape, { db, wanted }: SourceCheck): Finding[] {
  const reason = refusal(shape, wanted);
  if (reason !== null) {
    const remedy =
      wanted === null
        ? `On ${db}: alter table ${quoteName(shape)} add primary key (...); or a unique index over NOT NULL columns.`
        : "Choose the columns of a unique index that are NOT NULL.";
    return [{ grade: "error", what: reason, remedy }];
  }
  const chosen = chooseKey(shape, wanted)!;
  if (!chosen.deferrable) return [];
  return [
    {
      grade: "warning",
      what: `the key ${chosen.name} is deferrable: where the target's is so too, rows are replaced by deleting and inserting`,
      remedy: "Nothing, if that is fast enough; else a unique index that is not deferrable.",
    },
  ];
}

function privileges(shape: TableShape, db: string): Finding[] {
  const { user } = shape.privileges;
  const findings: Finding[] = [];
  if (!shape.privileges.schemaUsage) {
    findings.push({
      grade: "error",
      what: `${user} may not use the schema ${shape.schema} on ${db}`,
      remedy: `On ${db}: grant usage on schema ${quoteIdent(shape.schema)} to ${quoteIdent(user)};`,
    });
  }
  if (!shape.privileges.select) {
    findings.push({
      grade: "error",
      what: `${user} may not select on ${db}`,
      remedy: `On ${db}: grant select on ${quoteName(shape)} to ${quoteIdent(user)};`,
    });
  }
  if (shape.withoutTrigger.length > 0) {
    findings.push({
      grade: "error",
      what: `${user} may not create triggers on ${db}${shape.leaves.length > 1 ? ` (${shape.withoutTrigger.length} of the table and its partitions)` : ""}`,
      remedy: `On ${db}: grant trigger on ${shape.withoutTrigger.map(quoteName).join(", ")} to ${quoteIdent(user)};`,
    });
  }
  if (shape.rowSecurity) {
    findings.push({
      grade: "error",
      what: `row level security hides rows from ${user} on ${db}`,
      remedy: `On ${db}: alter role ${quoteIdent(user)} bypassrls; or own the table.`,
    });
  }
  return findings;
}

function foreignLeaves(shape: TableShape, db: string): Finding[] {
  if (shape.foreignLeaves.length === 0) return [];
  return [
    {
      grade: "error",
      what: `has foreign tables as partitions on ${db}: ${shape.foreignLeaves.map(displayName).join(", ")}`,
      remedy: "Changes on other servers cannot be captured: detach them, or replicate the other partitions one by one.",
    },
  ];
}
