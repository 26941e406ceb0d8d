import type { Operation } from "./operation.ts";
import { canonicalNoun, canonicalVerb } from "./words.ts";

/** `add` + `tables` + `all` -> the operation of that name, and how many of the words were its name. */
export type Found = { readonly operation: Operation; readonly length: number };

/** The operation that the first words name; the longest name wins (`reload config` before `reload`). */
export function findOperation(operations: readonly Operation[], words: readonly string[]): Found | null {
  const typed = canonicalWords(words);
  let best: Found | null = null;
  for (const operation of operations) {
    for (const spelling of [operation.name, ...(operation.synonyms ?? [])]) {
      const name = canonicalWords(spelling);
      const matches = name.every((word, index) => word === typed[index]);
      if (matches && name.length > (best?.length ?? 0)) best = { operation, length: name.length };
    }
  }
  return best;
}

/** Operations whose name begins with this verb. */
export function operationsOfVerb(operations: readonly Operation[], verb: string): Operation[] {
  return operations.filter((operation) => canonicalVerb(operation.name[0]) === canonicalVerb(verb));
}

function canonicalWords(words: readonly string[]): string[] {
  return words.map((word, index) => (index === 0 ? canonicalVerb(word) : canonicalNoun(word)));
}
