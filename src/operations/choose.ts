import { nearest } from "../catalog/nearest.ts";
import { BucardoError } from "../model/error.ts";
import { isPattern, select } from "./pattern.ts";

/** The objects that the words name; unknown-object that names every word which fits none. `all` may fit none. */
export function chooseOrFail<T extends { readonly name: string }>(items: readonly T[], words: readonly string[], kind: string): T[] {
  if (words.length === 0) throw new BucardoError("usage", `Name a ${kind}.`, { advice: "Names, patterns with * or %, or all." });
  const { chosen, unmatched } = select(
    items,
    words.flatMap((word) => word.split(",")).filter((word) => word !== ""),
    ({ name }) => name,
  );
  const unknown = unmatched.filter((word) => word.toLowerCase() !== "all");
  if (unknown.length === 0) return chosen;
  const [first = ""] = unknown;
  const near =
    unknown.length === 1 && !isPattern(first)
      ? nearest(
          first,
          items.map(({ name }) => name),
        )
      : null;
  throw new BucardoError(
    "unknown-object",
    `Unknown ${kind}${unknown.length > 1 ? "s" : ""}: ${unknown.map((word) => `"${word}"`).join(", ")}.`,
    {
      advice: `${near === null ? "" : `Did you mean "${near}"? `}\`bucardo list ${kind}s\` shows the existing ones. Nothing was changed.`,
    },
  );
}
