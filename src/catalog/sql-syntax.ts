/**
 * Since version 14 a server prints what was written in the words of the SQL standard in those words; before, as the call of a function. Here they
 * become the call. Tokens are in lower case, each by itself.
 */
export function asCalls(tokens: readonly string[]): string[] {
  return rewrites.reduce((result, rewrite) => rewrite(result), [...tokens]);
}

type Rewrite = (tokens: readonly string[]) => string[];

/** `(x at time zone y)`: always in parentheses of its own. */
const timezone: Rewrite = (tokens) => {
  const at = tokens.findIndex((token, index) => token === "at" && tokens[index + 1] === "time" && tokens[index + 2] === "zone");
  if (at < 0) return [...tokens];
  const open = opening(tokens, at);
  const close = closingParenthesis(tokens, open);
  if (open < 0 || close < 0) return [...tokens];
  const [value, zone] = [tokens.slice(open + 1, at), tokens.slice(at + 3, close)];
  return timezone([...tokens.slice(0, open), "timezone", "(", ...zone, ",", ...value, ")", ...tokens.slice(close + 1)]);
};

const rewrites: readonly Rewrite[] = [
  timezone,
  callOf("substring", (words) => ["substring", parts(words, ["from", "for"])]),
  callOf("overlay", (words) => ["overlay", parts(words, ["placing", "from", "for"])]),
  callOf("position", (words) => {
    const operands = parts(words, ["in"]);
    return ["position", operands.length === 2 && words.includes("in") ? operands.toReversed() : parts(words, [","])];
  }),
  callOf("trim", ([side = "", ...words]) => {
    const [characters = [], value = []] = parts(words, ["from"]);
    const name = { both: "btrim", leading: "ltrim", trailing: "rtrim" }[side];
    return name === undefined ? null : [name, characters.length === 0 ? [value] : [value, characters]];
  }),
];

/** Every `name(...)`, also `"name"(...)`, as what `change` makes of its words. */
function callOf(name: string, change: (words: readonly string[]) => readonly [string, string[][]] | null): Rewrite {
  return (tokens) => {
    const result = [...tokens];
    for (let index = result.length - 2; index >= 0; index -= 1) {
      if ((result[index] !== name && result[index] !== `"${name}"`) || result[index + 1] !== "(") continue;
      const close = closingParenthesis(result, index + 1);
      const changed = close < 0 ? null : change(result.slice(index + 2, close));
      if (changed === null) continue;
      const operands = changed[1].flatMap((operand, at) => (at === 0 ? operand : [",", ...operand]));
      result.splice(index, close - index + 1, changed[0], "(", ...operands, ")");
    }
    return result;
  };
}

/** Cut at these words outside of inner parentheses. */
function parts(tokens: readonly string[], words: readonly string[]): string[][] {
  const result: string[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token === "(") depth += 1;
    if (token === ")") depth -= 1;
    if (depth === 0 && words.includes(token)) result.push([]);
    else result.at(-1)!.push(token);
  }
  return result;
}

function opening(tokens: readonly string[], from: number): number {
  let depth = 0;
  for (let index = from - 1; index >= 0; index -= 1) {
    if (tokens[index] === ")") depth += 1;
    if (tokens[index] === "(" && depth-- === 0) return index;
  }
  return -1;
}

function closingParenthesis(tokens: readonly string[], open: number): number {
  let depth = 0;
  for (let index = open; index >= 0 && index < tokens.length; index += 1) {
    if (tokens[index] === "(") depth += 1;
    if (tokens[index] === ")" && --depth === 0) return index;
  }
  return -1;
}
