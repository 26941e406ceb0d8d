import { BucardoError, describeError } from "../model/error.ts";
import { problemText } from "../operations/problem-text.ts";

/** Lines for stderr: what went wrong, every problem, what to do next by the name we were called. Never a stack, unless it is a mistake of ours. */
export function errorLines(error: unknown, options: { readonly debug: number; readonly program: string }): string[] {
  const { message, advice } = describeError(error);
  const problems = error instanceof BucardoError ? (error.details.problems ?? []) : [];
  const lines = [
    message.replace(/^(the|an?|no|cannot) /, (word) => word.charAt(0).toUpperCase() + word.slice(1)),
    ...problems.map((problem) => `  ${problemText(problem)}`),
  ];
  if (advice !== null && advice !== "") lines.push(advice);
  const shown = lines.map((line) => line.replaceAll("`bucardo ", `\`${options.program} `));
  if (error instanceof Error && (options.debug > 0 || !(error instanceof BucardoError))) shown.push(error.stack ?? "");
  return shown;
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
