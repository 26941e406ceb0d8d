/** True when the word has a wildcard (`*` or `%`) or is the word `all`. */
export function isPattern(word: string): boolean {
  return word.toLowerCase() === "all" || /[*%]/.test(word);
}

/** A pattern as a test: `*` and `%` stand for any text, `all` for every name. Case counts. */
export function matcherOf(pattern: string): (name: string) => boolean {
  if (pattern.toLowerCase() === "all") return () => true;
  const source = pattern.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replace(/[*%]+/g, ".*");
  const expression = new RegExp(`^${source}$`, "su");
  return (name) => expression.test(name);
}

/** Items chosen by the words, each once and in their own order; words that chose nothing are `unmatched`. */
export function select<T>(
  items: readonly T[],
  words: readonly string[],
  nameOf: (item: T) => string,
): { readonly chosen: T[]; readonly unmatched: string[] } {
  const tests = words.map((word) => ({ word, test: matcherOf(word) }));
  return {
    chosen: items.filter((item) => tests.some(({ test }) => test(nameOf(item)))),
    unmatched: tests.filter(({ test }) => !items.some((item) => test(nameOf(item)))).map(({ word }) => word),
  };
}
