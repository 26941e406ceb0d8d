import { BucardoError, type Problem } from "../model/error.ts";
import type { ErrorCode } from "../model/error-catalogue.ts";

/** Notes one thing that is wrong, and what to do. */
export type Report = (what: string, remedy: string) => void;

export function reporter(problems: Problem[]): Report {
  return (what, remedy) => void problems.push({ grade: "error", what, remedy });
}

/** Throws when something was noted: one problem as a sentence of its own, several as a list under `title`. */
export function stopOnProblems(problems: readonly Problem[], code: ErrorCode, title: string): void {
  const [first] = problems;
  if (first === undefined) return;
  const { db, table, what, remedy } = first;
  const place = [db, table]
    .filter((part) => part !== undefined)
    .map((part) => `${part}: `)
    .join("");
  const common = { ...(db === undefined ? {} : { db }), ...(table === undefined ? {} : { table }) };
  if (problems.length === 1)
    throw new BucardoError(code, `${title}: ${place}${what}.`, { ...common, advice: `${remedy} Nothing was changed.`.trim() });
  throw new BucardoError(code, `${title}: ${problems.length} problems.`, { problems, advice: "Nothing was changed." });
}
