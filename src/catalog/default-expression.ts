import { asCalls } from "./sql-syntax.ts";

/**
 * True when two expressions of pg_get_expr or pg_get_constraintdef say the same, as far as spelling decides: versions
 * differ in casts of constants, parentheses, qualification of pg_catalog, words of the SQL standard and the form of nextval. Not an algebra: what
 * looks different counts as different.
 */
export function sameExpression(one: string | null, other: string | null): boolean {
  if (one === null || other === null) return one === other;
  const [first, second] = [canonical(one), canonical(other)];
  // Very old dumps name the sequence without its schema, which then says nothing about the schema.
  return (
    first === second || ((hasBareSequence(first) || hasBareSequence(second)) && withBareSequences(first) === withBareSequences(second))
  );
}

/** True for `nextval(...)`: what serial makes, and the older form of an identity column. */
export function isNextval(expression: string): boolean {
  return /^nextval\('(?:[^']|'')*'\)$/.test(canonical(expression));
}

function canonical(expression: string): string {
  const tokens = withoutIdleParentheses(withoutCastsOfConstants(asCalls(tokenize(expression).map(plainToken))));
  const text = tokens.join(" ").replaceAll(" (", "(").replaceAll("( ", "(").replaceAll(" )", ")");
  return aliases.reduce((result, [spelling, plain]) => result.replaceAll(spelling, plain), text);
}

const NEXTVAL = /nextval\('((?:[^']|'')*)'\)/g;
const LAST_NAME = /(?:"(?:[^"]|"")*"|[^".]+)$/;

function hasBareSequence(text: string): boolean {
  return [...text.matchAll(NEXTVAL)].some(([, name = ""]) => LAST_NAME.exec(name)?.[0] === name);
}

function withBareSequences(text: string): string {
  return text.replaceAll(NEXTVAL, (_, name: string) => `nextval('${LAST_NAME.exec(name)?.[0]}')`);
}

const TOKEN = /[EB]?'(?:[^']|'')*'|"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*|\d+(?:\.\d+)?(?:e[-+]?\d+)?|::|[-+*/<>=~!@#%^&|`?]+|\S/giu;

function tokenize(expression: string): string[] {
  const tokens = expression.match(TOKEN) ?? [];
  // Qualified names are one token, so that they can lose pg_catalog and casts can be cut off whole.
  const joined: string[] = [];
  for (const token of tokens) {
    const last = joined.at(-1);
    if (last !== undefined && (token === "." || last.endsWith("."))) joined[joined.length - 1] = last + token;
    else joined.push(token);
  }
  return joined;
}

function plainToken(written: string): string {
  // Bit constants: B'101' before 11, '101' since.
  const token = written.startsWith("B'") ? written.slice(1) : written;
  if (token.startsWith("'")) return /^'-?\d+(\.\d+)?'$/.test(token) ? token.slice(1, -1) : token;
  if (token.includes('"') || token.startsWith("E'")) return token.replace(/^pg_catalog\./, "");
  return token.toLowerCase().replace(/^pg_catalog\./, "");
}

/** `'x'::text`, `(0)::numeric`, `(('s'::text)::regclass)`: the type of the column says it again. */
function withoutCastsOfConstants(tokens: readonly string[]): string[] {
  let current = withoutIdleParentheses(tokens);
  for (;;) {
    const at = current.findIndex((token, index) => token === "::" && isConstant(current[index - 1]));
    if (at < 0) return current;
    current = withoutIdleParentheses([...current.slice(0, at), ...current.slice(at + 1 + typeLength(current.slice(at + 1)))]);
  }
}

function isConstant(token: string | undefined): boolean {
  return token !== undefined && /^(E?'|-?\d|null$|true$|false$)/s.test(token);
}

/** Number of tokens of a type: `character varying ( 20 ) [ ]`. */
function typeLength(tokens: readonly string[]): number {
  let length = 1;
  while (/^(varying|precision|with|without|time|zone)$/.test(tokens[length] ?? "")) length += 1;
  if (tokens[length] === "(") length = tokens.indexOf(")", length) + 1;
  while (/^(varying|precision|with|without|time|zone)$/.test(tokens[length] ?? "")) length += 1;
  while (tokens[length] === "[" && tokens[length + 1] === "]") length += 2;
  return length;
}

/** Pairs around one token that are no call, pairs around pairs, and the pair around everything. A sign joins its number. */
function withoutIdleParentheses(tokens: readonly string[]): string[] {
  const result = [...tokens];
  for (let start = 0; start < result.length; start += 1) {
    if (result[start] === "-" && /^\d/.test(result[start + 1] ?? "") && !isOperand(result[start - 1]))
      result.splice(start, 2, `-${result[start + 1]}`);
    if (result[start] !== "(" || isCallable(result[start - 1])) continue;
    const end = closing(result, start);
    const whole = start === 0 && end === result.length - 1;
    const doubled = result[start + 1] === "(" && closing(result, start + 1) === end - 1;
    if (end - start !== 2 && !whole && !doubled) continue;
    result.splice(end, 1);
    result.splice(start, 1);
    start = -1;
  }
  return result;
}

function isOperand(token: string | undefined): boolean {
  return token !== undefined && /[\p{L}\p{N}_"')\]]$/u.test(token);
}

function isCallable(token: string | undefined): boolean {
  return token !== undefined && /[\p{L}\p{N}_"]$/u.test(token) && !/^(and|or|not|in|check|is|then|else|when|like|\d.*)$/.test(token);
}

function closing(tokens: readonly string[], open: number): number {
  let depth = 0;
  for (let index = open; index < tokens.length; index += 1) {
    if (tokens[index] === "(") depth += 1;
    if (tokens[index] === ")") depth -= 1;
    if (depth === 0) return index;
  }
  return tokens.length;
}

const aliases: readonly (readonly [string, string])[] = [
  ["now()", "current_timestamp"],
  ['"current_user"()', "current_user"],
  [":: int4", ":: integer"],
  [":: int8", ":: bigint"],
  [":: int2", ":: smallint"],
  [":: bool", ":: boolean"],
  [":: varchar", ":: character varying"],
  [":: float8", ":: double precision"],
  [":: timestamptz", ":: timestamp with time zone"],
];
