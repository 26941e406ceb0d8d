/**
 * SQL expressions that users write (select lists, conditions), taken apart far enough to know that `(text)` is one expression and nothing else: quotes
 * and brackets are closed in it, and it has no comment, no second statement, no parameter and no subquery. Whether it means something is for the server
 * to say (catalog/terms.ts). Pure.
 */
export type Token = {
  /** word: an identifier or key word as written; name: a quoted identifier, text unquoted. */
  readonly kind: "word" | "name" | "string" | "number" | "symbol";
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Brackets around it. */
  readonly depth: number;
};

/** One column that travels. */
export type SelectItem = {
  /** As the target calls it; null: every column of the table that the list does not name (`*`). */
  readonly name: string | null;
  /** The column of the table when it travels unchanged, else null. */
  readonly column: string | null;
  readonly expression: string;
};

/** Why a text is refused, for people. */
export class ExpressionError extends Error {}

/** Words that begin a query; the value of a row follows from the row alone. */
const QUERY_WORDS = new Set(["select", "with", "table", "values", "into"]);

const PATTERNS: readonly (readonly [Token["kind"] | "blank", RegExp])[] = [
  ["blank", /\s+/y],
  ["string", /[eE]'(?:[^'\\]|\\.|'')*'/sy],
  ["string", /(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'/sy],
  ["name", /"(?:[^"]|"")+"/sy],
  ["word", /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y],
  ["number", /(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y],
  ["symbol", /[-+*/<>=~!@#%^&|`?:.,()[\]]/y],
];

/** @throws ExpressionError */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const open: string[] = [];
  for (let at = 0; at < text.length;) {
    if (text.startsWith("--", at) || text.startsWith("/*", at)) throw new ExpressionError("comments are not allowed in it");
    if (text[at] === ";") throw new ExpressionError("it is more than one statement");
    const { kind, match } = matchAt(text, at);
    const closes = match === ")" || match === "]";
    if (kind === "symbol" && closes && open.pop() !== (match === ")" ? "(" : "[")) throw new ExpressionError(`"${match}" closes nothing`);
    if (kind !== "blank") {
      const unquoted = kind === "name" ? match.slice(1, -1).replaceAll('""', '"') : match;
      tokens.push({ kind, text: unquoted, start: at, end: at + match.length, depth: open.length });
    }
    if (kind === "symbol" && (match === "(" || match === "[")) open.push(match);
    at += match.length;
  }
  if (open.length > 0) throw new ExpressionError(`"${open.at(-1)}" is not closed`);
  const query = tokens.find((token) => token.kind === "word" && QUERY_WORDS.has(token.text.toLowerCase()));
  if (query !== undefined)
    throw new ExpressionError(`"${query.text}" would read other rows: a row's values must follow from the row alone`);
  return tokens;
}

function matchAt(text: string, at: number): { kind: Token["kind"] | "blank"; match: string } {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const match = pattern.exec(text)?.[0];
    if (match !== undefined) return { kind, match };
  }
  const character = text[at] ?? "";
  throw new ExpressionError(/['"]/.test(character) ? `a ${character} is not closed` : `"${character}" is not allowed in it`);
}

/** The condition as it is used, without blanks around it. @throws ExpressionError */
export function readCondition(text: string): string {
  const trimmed = text.trim().replace(/^where\s+/i, "");
  const tokens = tokensOf(trimmed);
  if (tokens.length === 0) throw new ExpressionError("it is empty");
  if (tokens.some((token) => token.depth === 0 && token.text === ",")) throw new ExpressionError("it is a list, not one condition");
  return trimmed;
}

/** `SELECT id, upper(name) AS name, *`; the word SELECT may be missing. @throws ExpressionError */
export function readSelectList(text: string): SelectItem[] {
  const list = text.trim().replace(/^select\s+/i, "");
  const tokens = tokensOf(list);
  if (tokens.some(({ kind, text: word, depth }) => kind === "word" && depth === 0 && word.toLowerCase() === "from"))
    throw new ExpressionError("it names its own table: leave FROM out");
  const items = splitAtCommas(tokens).map((part) => readItem(list, part));
  const names = items.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new ExpressionError(twice === null ? "it has * twice" : `it gives ${twice} twice`);
  return items;
}

function splitAtCommas(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    if (token.depth === 0 && token.text === "," && token.kind === "symbol") parts.push([]);
    else parts.at(-1)!.push(token);
  }
  return parts;
}

function readItem(list: string, tokens: readonly Token[]): SelectItem {
  if (tokens.length === 0) throw new ExpressionError("it has an empty item");
  if (tokens.length === 1 && tokens[0]!.text === "*") return { name: null, column: null, expression: "*" };
  const as = tokens.findLastIndex(({ kind, text, depth }) => kind === "word" && depth === 0 && text.toLowerCase() === "as");
  const named = as > 0 && as === tokens.length - 2 ? nameOf(tokens.at(-1)!) : null;
  const value = named === null ? tokens : tokens.slice(0, as);
  const expression = list.slice(value[0]!.start, value.at(-1)!.end);
  const column = columnOf(value);
  const name = named ?? column;
  if (name === null) throw new ExpressionError(`"${expression}" needs a name: ${expression} AS column_of_the_target`);
  return { name, column, expression };
}

/** `name`, `"Name"`, `table.name` */
function columnOf(tokens: readonly Token[]): string | null {
  if (tokens.length === 1) return nameOf(tokens[0]!);
  const [qualifier, dot, column] = tokens;
  return tokens.length === 3 && dot!.text === "." && nameOf(qualifier!) !== null ? nameOf(column!) : null;
}

/** As the server folds it; null: no name. */
function nameOf(token: Token): string | null {
  if (token.kind === "name") return token.text;
  return token.kind === "word" && !LITERALS.has(token.text.toLowerCase()) ? token.text.toLowerCase() : null;
}

/** Values that look like names. */
const LITERALS = new Set([
  "null",
  "true",
  "false",
  "current_date",
  "current_time",
  "current_timestamp",
  "current_user",
  "session_user",
  "user",
]);

/** Names of the functions that are called, and of those that need no brackets. @throws ExpressionError */
export function functionsOf(text: string): string[] {
  const tokens = tokensOf(text);
  return tokens.flatMap((token, index) => {
    const name = token.kind === "name" ? token.text : token.text.toLowerCase();
    const called = (token.kind === "word" || token.kind === "name") && tokens[index + 1]?.text === "(";
    return called || (token.kind === "word" && LITERALS.has(name)) || (token.kind === "word" && name.startsWith("localtime")) ? [name] : [];
  });
}
