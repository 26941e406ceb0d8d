import { tokensOf, splitScript } from "../schema/lexer.ts";

const ROWS_ONLY = new Set(["select", "insert", "update", "delete", "with", "values", "table"]);

/**
 * Why a statement may not be executed within a run; null: it may. There only rows are read and changed: no transaction control, no DDL, one statement at a
 * time. It keeps mistakes out, not somebody who means it: a function can do what it likes.
 */
export function whyNotInside(text: string): string | null {
  const statements = statementsOf(text);
  if (statements.length !== 1) return statements.length === 0 ? "there is no statement" : "one statement at a time";
  const tokens = tokensOf(statements[0]!);
  const first = tokens.find(({ value }) => value !== "(");
  const verb = first?.kind === "word" ? first.value : "";
  if (!ROWS_ONLY.has(verb))
    return `${verb === "" ? "this" : verb.toUpperCase()} is not allowed within a run; SELECT, INSERT, UPDATE and DELETE are`;
  const makesTable =
    verb !== "insert" && verb !== "update" && verb !== "delete" && hasInto(tokens.map(({ kind, value }) => (kind === "word" ? value : "")));
  return makesTable ? "SELECT INTO is not allowed within a run" : null;
}

/** `into` that does not belong to an INSERT. */
function hasInto(words: readonly string[]): boolean {
  return words.some((word, index) => word === "into" && words[index - 1] !== "insert");
}

/** Cut at the semicolons between them. */
export function statementsOf(script: string): string[] {
  return [...splitScript(script)].filter(({ kind }) => kind === "statement").map(({ text }) => text);
}
