import type { z } from "zod";
import { BucardoError, type Problem } from "../model/error.ts";
import { spell, type Operation } from "./operation.ts";

/** The operation's input, checked; one error that names every bad value. */
export function checkInput(operation: Operation, raw: Readonly<Record<string, unknown>>, program: string): Record<string, unknown> {
  const result = operation.input.safeParse(raw);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue): Problem => ({ grade: "error", what: describeIssue(issue, raw), remedy: "" }));
  const advice = `See \`${program} help ${spell(operation)}\`.`;
  const [first] = problems;
  if (first !== undefined && problems.length === 1) throw new BucardoError("bad-value", `${first.what}.`, { advice });
  throw new BucardoError("bad-value", `\`${spell(operation)}\` was given values that it does not take.`, { advice, problems });
}

function describeIssue(issue: z.core.$ZodIssue, raw: Readonly<Record<string, unknown>>): string {
  const [name] = issue.path;
  if (name === undefined) return issue.message;
  if (raw[String(name)] === undefined) return `${String(name)} is missing`;
  return `${String(name)} ${issue.message}`;
}
