import type { Problem } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { SequenceShape } from "./sequence.ts";

export type SequenceComparison = {
  readonly strict: boolean;
  /** Name of the target database, for the report. */
  readonly db: string;
  /** What the missing one may have been meant to be (nearest.ts). */
  readonly hint?: string | null;
};

const range = {
  smallint: [-(2n ** 15n), 2n ** 15n - 1n],
  integer: [-(2n ** 31n), 2n ** 31n - 1n],
  bigint: [-(2n ** 63n), 2n ** 63n - 1n],
} as const;

/**
 * Every reason why values of the source's sequence cannot live in the target's, or why the target would go on differently. A run
 * brings increment, limits and cycle over by itself where our user owns the sequence, so they matter only where it does not.
 */
export function compareSequences(source: SequenceShape, target: SequenceShape | undefined, options: SequenceComparison): Problem[] {
  const table = displayName(source);
  const problem = (grade: Problem["grade"], what: string, remedy: string): Problem[] => [{ grade, db: options.db, table, what, remedy }];
  if (target === undefined) {
    const hint = options.hint ? `; ${options.hint} does` : "";
    return problem(
      "error",
      `the sequence does not exist on ${options.db}${hint}`,
      `Create it on ${options.db}, or take it out of the sync.`,
    );
  }
  const lacking = missingPrivileges(target, ["select", "update"], options.db);
  if (lacking.length > 0) return lacking;
  const [lowest, highest] = range[target.dataType];
  if (BigInt(source.max) > highest || BigInt(source.min) < lowest) {
    return problem(
      "error",
      `the sequence goes from ${source.min} to ${source.max} on the source, which its type ${target.dataType} on ${options.db} cannot hold`,
      `On ${options.db}: alter sequence ${quoteName(target)} as ${source.dataType};`,
    );
  }
  if (target.privileges.owner) return [];
  const differing = (["increment", "min", "max", "cycle"] as const).filter((field) => source[field] !== target[field]);
  if (differing.length === 0) return [];
  const show = differing.map((field) => `${field} is ${source[field]} on the source and ${target[field]} on ${options.db}`).join("; ");
  return problem(
    options.strict ? "error" : "warning",
    `${show}, and our user may not alter the sequence`,
    "Make both sequences equal, or let our user own it.",
  );
}

/** Every reason why a sequence cannot be read on its source. */
export function checkSequenceSource(sequence: QualifiedName, shape: SequenceShape | undefined, db: string): Problem[] {
  if (shape !== undefined) return missingPrivileges(shape, ["select"], db);
  const what = `the sequence does not exist on ${db}`;
  return [{ grade: "error", db, table: displayName(sequence), what, remedy: "Take it out of the sync, or create it." }];
}

function missingPrivileges(sequence: SequenceShape, needed: readonly ("select" | "update")[], db: string): Problem[] {
  const { user, schemaUsage } = sequence.privileges;
  const problem = (what: string, grant: string): Problem => ({
    grade: "error",
    db,
    table: displayName(sequence),
    what: `${user} may not ${what} on ${db}`,
    remedy: `On ${db}: grant ${grant} to ${quoteIdent(user)};`,
  });
  const lacking = needed.filter((privilege) => !sequence.privileges[privilege]).join(", ");
  return [
    ...(schemaUsage ? [] : [problem(`use the schema ${sequence.schema}`, `usage on schema ${quoteIdent(sequence.schema)}`)]),
    ...(lacking === "" ? [] : [problem(lacking, `${lacking} on sequence ${quoteName(sequence)}`)]),
  ];
}
