/** One piece of a script between statements: what pg_dump remarks, or a statement without its semicolon. */
export type ScriptPart = { readonly kind: "remark" | "statement"; readonly text: string };

/** `word`: keyword or bare identifier in lower case; `name`: quoted identifier, its value; the rest as written. */
export type Token = {
  readonly kind: "word" | "name" | "string" | "number" | "symbol";
  readonly value: string;
  readonly start: number;
  readonly end: number;
};

/**
 * How the tokens of SQL begin, as the server has it with standard_conforming_strings on. Where strings, quoted names and comments end is searched:
 * they may be of any length. Sticky: matches where it is put or not at all.
 */
const beginnings =
  /(?<space>[\s\ufeff]+)|(?<remark>--)|(?<comment>\/\*)|(?<escaped>[eE]')|(?<quoted>(?:[uU]&|[bBxXnN])?')|(?<name>(?:[uU]&)?")|(?<dollar>\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)|(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(?<number>\d[\w.]*)|(?<symbol>[\s\S])/sy;

/** Cuts a script into its statements exactly where psql does: `;` outside of strings, comments, parentheses and `BEGIN ATOMIC .. END`. */
export function* splitScript(script: string): Generator<ScriptPart> {
  let at = 0;
  while (at < script.length) {
    const end = metaCommandEnd(script, at);
    if (end !== null) {
      at = end;
      continue;
    }
    const lexed = lexAt(script, at);
    if (lexed.kind === "remark") yield { kind: "remark", text: script.slice(at, lexed.end) };
    if (lexed.kind === "remark" || lexed.kind === "blank") {
      at = lexed.end;
      continue;
    }
    const stop = statementEnd(script, at);
    const text = script.slice(at, stop).trimEnd();
    at = stop + 1;
    if (text === "") continue;
    yield { kind: "statement", text };
    if (/^copy\s[\s\S]*\sfrom\s+stdin$/i.test(text)) at = copyDataEnd(script, at);
  }
}

/** What one statement is made of, without space and comments. */
export function tokensOf(statement: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < statement.length;) {
    const { kind, end } = lexAt(statement, at);
    if (kind !== "blank" && kind !== "remark") {
      const text = statement.slice(at, end);
      tokens.push({ kind, value: valueOf(kind, text), start: at, end });
    }
    at = end;
  }
  return tokens;
}

type Lexed = { readonly kind: Token["kind"] | "blank" | "remark"; readonly end: number };

function lexAt(text: string, at: number): Lexed {
  beginnings.lastIndex = at;
  const groups = beginnings.exec(text)!.groups!;
  const begun = beginnings.lastIndex;
  if (groups["space"] !== undefined) return { kind: "blank", end: begun };
  if (groups["remark"] !== undefined) return { kind: "remark", end: find(text, "\n", begun) };
  if (groups["comment"] !== undefined) return { kind: "blank", end: commentEnd(text, begun) };
  if (groups["escaped"] !== undefined) return { kind: "string", end: quoteEnd(text, begun, "'", true) };
  if (groups["quoted"] !== undefined) return { kind: "string", end: quoteEnd(text, begun, "'", false) };
  if (groups["name"] !== undefined) return { kind: "name", end: quoteEnd(text, begun, '"', false) };
  const { dollar } = groups;
  if (dollar !== undefined) return { kind: "string", end: Math.min(find(text, dollar, begun) + dollar.length, text.length) };
  if (groups["word"] !== undefined) return { kind: "word", end: begun };
  return { kind: groups["number"] === undefined ? "symbol" : "number", end: begun };
}

function find(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from);
  return at < 0 ? text.length : at;
}

/** Behind the closing quote; a doubled quote is one of the text, and so is one behind a backslash in an E string. */
function quoteEnd(text: string, from: number, quote: string, backslashes: boolean): number {
  for (let at = from; at < text.length; at++) {
    if (backslashes && text[at] === "\\") at++;
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at + 1;
      at++;
    }
  }
  return text.length;
}

function valueOf(kind: Token["kind"], text: string): string {
  if (kind === "word") return text.toLowerCase();
  return kind === "name" ? text.slice(text.indexOf('"') + 1, -1).replaceAll('""', '"') : text;
}

function commentEnd(text: string, from: number): number {
  let depth = 1;
  const edge = /\/\*|\*\//g;
  edge.lastIndex = from;
  for (let found = edge.exec(text); found; found = edge.exec(text)) {
    depth += found[0] === "/*" ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return text.length;
}

/** Where the semicolon of the statement stands, or the end of the script. */
function statementEnd(script: string, from: number): number {
  let parentheses = 0;
  let atomic = 0;
  let begin = false;
  for (let at = from; at < script.length;) {
    const { kind, end } = lexAt(script, at);
    const text = end - at <= 6 ? script.slice(at, end).toLowerCase() : "";
    if (kind === "symbol") {
      if (text === ";" && parentheses === 0 && atomic === 0) return at;
      if (text === "(") parentheses++;
      if (text === ")") parentheses--;
    } else if (kind === "word" && parentheses === 0) {
      // A body of SQL statements; a CASE in it ends with END too. All of these words but BEGIN are reserved, so a name would stand in quotes.
      if (begin && text === "atomic") atomic = 1;
      else if (atomic > 0 && text === "case") atomic++;
      else if (atomic > 0 && text === "end") atomic--;
    }
    if (kind !== "blank" && kind !== "remark") begin = kind === "word" && text === "begin";
    at = end;
  }
  return script.length;
}

/** A command for psql (`\restrict`) takes the whole line. */
function metaCommandEnd(script: string, at: number): number | null {
  if (script[at] !== "\\") return null;
  const line = script.indexOf("\n", at);
  return line < 0 ? script.length : line + 1;
}

function copyDataEnd(script: string, from: number): number {
  const end = script.indexOf("\n\\.\n", from);
  return end < 0 ? script.length : end + 4;
}
