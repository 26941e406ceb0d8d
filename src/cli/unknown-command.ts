import { BucardoError } from "../model/error.ts";
import { operationsOfVerb } from "../operations/find.ts";
import type { Operation } from "../operations/operation.ts";
import { canonicalNoun, NOUNS_NOT_OFFERED } from "../operations/words.ts";
import { nearest } from "../catalog/nearest.ts";

/** One short error for a line whose first words name no operation. */
export function unknownCommand(
  words: readonly string[],
  { program, operations }: { readonly program: string; readonly operations: readonly Operation[] },
): BucardoError {
  const [verb = "", noun] = words;
  const notOffered = NOUNS_NOT_OFFERED[canonicalNoun(noun ?? "")] ?? NOUNS_NOT_OFFERED[verb.toLowerCase()];
  if (notOffered !== undefined) return new BucardoError("not-supported", notOffered, { advice: `\`${program} help\` lists the commands.` });
  const siblings = operationsOfVerb(operations, verb);
  if (siblings.length === 0) {
    const near = nearest(verb, new Set(operations.map((operation) => operation.name[0])));
    return new BucardoError("usage", `There is no command "${verb}".${near === null ? "" : ` Did you mean "${near}"?`}`, {
      advice: `\`${program} help\` lists the commands.`,
    });
  }
  const nouns = [...new Set(siblings.map((operation) => operation.name.slice(1).join(" ")))];
  if (noun === undefined) {
    return new BucardoError("usage", `"${verb}" needs one more word: ${nouns.join(", ")}.`, { advice: `See \`${program} help ${verb}\`.` });
  }
  const near = nearest(noun, new Set(nouns.flatMap((each) => [each, canonicalNoun(each)])));
  const guess = near === null ? ` It takes: ${nouns.join(", ")}.` : ` Did you mean "${verb} ${near}"?`;
  return new BucardoError("usage", `There is no command "${verb} ${noun}".${guess}`, { advice: `See \`${program} help ${verb}\`.` });
}
