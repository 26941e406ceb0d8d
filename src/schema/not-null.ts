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
  const after: string[] = [];
  const gaps: { readonly from: number; readonly to: number }[] = [];
  for (let index = opening, depth = 0; index < tokens.length; index++) {
    const token = tokens[index]!;
    if (is(token, ")") && --depth === 0) break;
    if (is(token, "(")) depth++;
    if (depth !== 1 || !(is(token, "(") || is(token, ",")) || !isConstraint(tokens, index + 1)) continue;
    const column = tokens[index + 5]!;
    let last = index + 5;
    while (!is(tokens[last + 1], ",") && !is(tokens[last + 1], ")")) last++;
    // With the comma before it, or behind it when it is the first.
    const first = is(token, "(");
    gaps.push({
      from: first ? token.end : token.start,
      to: first && is(tokens[last + 1], ",") ? tokens[last + 1]!.end : tokens[last]!.end,
    });
    after.push(`ALTER TABLE ONLY ${table} ALTER COLUMN ${text.slice(column.start, column.end)} SET NOT NULL`);
  }
  const kept = gaps.toReversed().reduce((rest, { from, to }) => rest.slice(0, from) + rest.slice(to), text);
  return [kept, ...after].join(";\n");
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
