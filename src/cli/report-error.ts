import { BucardoError, describeError, type Problem } from "../model/error.ts";

/** Lines for stderr: what went wrong, every problem, what to do next. Never a stack, unless it is a mistake of ours. */
export function errorLines(error: unknown, options: { readonly debug: number }): string[] {
  const { message, advice } = describeError(error);
  const problems = error instanceof BucardoError ? (error.details.problems ?? []) : [];
  const lines = [message, ...problems.map(problemLine)];
  if (advice !== null && advice !== "") lines.push(advice);
  if (error instanceof Error && (options.debug > 0 || !(error instanceof BucardoError))) lines.push(error.stack ?? "");
  return lines;
}

/** The same for machines; the shape of every error of `--json`. */
export function errorJson(error: unknown): object {
  const { message, advice } = describeError(error);
  if (!(error instanceof BucardoError)) return { error: { code: "internal", message, advice, problems: [] } };
  const { db, sync, table, sqlstate, problems = [] } = error.details;
  return { error: { code: error.code, message, advice, db, sync, table, sqlstate, problems } };
}

export function exitCodeOf(error: unknown): number {
  return error instanceof BucardoError ? error.exit : 1;
}

/** `  error: A: public.a: what. Remedy.` */
export function problemLine({ grade, db, table, what, remedy }: Problem): string {
  const place = [db, table].filter((part) => part !== undefined).join(": ");
  const end = /[.?!]$/.test(what) ? "" : ".";
  return `  ${grade}: ${place === "" ? "" : `${place}: `}${what}${end}${remedy === "" ? "" : ` ${remedy}`}`;
}
