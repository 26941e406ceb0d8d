import { tokensOf, type Token } from "./lexer.ts";

/**
 * Since 18 NOT NULL may be a constraint of a table, with a name, as pg_dump writes it for inherited columns:
 * `CREATE TABLE t (..., CONSTRAINT n NOT NULL c)` and `ALTER TABLE t ADD CONSTRAINT n NOT NULL c`. Older servers know it as a property of the column alone.
 */
export function notNullOfColumns(text: string): string {
  const tokens = tokensOf(text);
  if (is(tokens[0], "alter") && is(tokens[1], "table")) return alterColumn(text, tokens);
  const opening = tokens.findIndex((token) => is(token, "("));
  if (!is(tokens[0], "create") || opening < 0) return text;
  return outOfTable(text, tokens, opening);
}

function alterColumn(text: string, tokens: readonly Token[]): string {
  const add = tokens.findIndex((token, index) => is(token, "add") && isConstraint(tokens, index + 1));
  if (add < 0) return text;
  const column = tokens[add + 5]!;
  return `${text.slice(0, tokens[add]!.start)}ALTER COLUMN ${text.slice(column.start, column.end)} SET NOT NULL`;
}

/** Takes the constraints out of the list of a CREATE TABLE and says the same of the columns behind it. */
function outOfTable(text: string, tokens: readonly Token[], opening: number): string {
  const table = text.slice(nameStart(tokens, opening), tokens[opening - 1]!.end);
  const elements = elementsOf(tokens, opening);
  const columns = elements.flatMap((element) => notNullColumn(element) ?? []);
  if (columns.length === 0) return text;
  const kept = elements.filter((element) => notNullColumn(element) === null);
  const list = kept.map((element) => `\n    ${text.slice(element[0]!.start, element.at(-1)!.end)}`).join(",");
  const rest = text.slice(tokens[closing(tokens, opening)]!.start);
  const after = columns.map((column) => `ALTER TABLE ONLY ${table} ALTER COLUMN ${text.slice(column.start, column.end)} SET NOT NULL`);
  return [`${text.slice(0, tokens[opening]!.end)}${list}${list === "" ? "" : "\n"}${rest}`, ...after].join(";\n");
}

/** The column of `[CONSTRAINT name] NOT NULL column`; null when the element is something else. */
function notNullColumn(element: readonly Token[]): Token | null {
  const [not, nothing, column] = is(element[0], "constraint") ? element.slice(2) : element;
  return is(not, "not") && is(nothing, "null") ? (column ?? null) : null;
}

/** What stands between the commas of the list that opens there. */
function elementsOf(tokens: readonly Token[], opening: number): Token[][] {
  const elements: Token[][] = [[]];
  const end = closing(tokens, opening);
  let depth = 0;
  for (const token of tokens.slice(opening + 1, end)) {
    if (token.kind === "symbol" && token.value === "(") depth++;
    if (token.kind === "symbol" && token.value === ")") depth--;
    if (depth === 0 && token.kind === "symbol" && token.value === ",") elements.push([]);
    else elements.at(-1)!.push(token);
  }
  return elements.filter((element) => element.length > 0);
}

function closing(tokens: readonly Token[], opening: number): number {
  let depth = 0;
  return tokens.findIndex((token, index) => {
    if (index < opening || token.kind !== "symbol") return false;
    if (token.value === "(") depth++;
    if (token.value === ")") depth--;
    return depth === 0;
  });
}

/** CONSTRAINT name NOT NULL column */
function isConstraint(tokens: readonly Token[], at: number): boolean {
  return is(tokens[at], "constraint") && is(tokens[at + 2], "not") && is(tokens[at + 3], "null") && tokens[at + 4] !== undefined;
}

/** Where the qualified name before the list begins. */
function nameStart(tokens: readonly Token[], opening: number): number {
  let at = opening - 1;
  while (is(tokens[at - 1], ".")) at -= 2;
  return tokens[at]!.start;
}

function is(token: Token | undefined, value: string): boolean {
  return token !== undefined && token.kind !== "name" && token.kind !== "string" && token.value === value;
}
