import type { RelationRow } from "../../control/relation.ts";
import { readRelations } from "../../control/relation.ts";
import { BucardoError } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import type { RelationKind } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import { isPattern, matcherOf } from "../pattern.ts";

/** The registered relations that words mean: `schema.name`, `name`, patterns. A name without wildcard must mean one only. */
export async function chooseRelations(
  control: Session,
  words: readonly string[],
  kind: RelationKind,
  db: string | undefined,
): Promise<RelationRow[]> {
  const known = (await readRelations(control)).filter((relation) => relation.kind === kind && (db === undefined || relation.db === db));
  const chosen = new Set<RelationRow>();
  const unknown: string[] = [];
  for (const word of words.flatMap((each) => each.split(",")).filter((each) => each !== "")) {
    const test = matcherOf(word);
    const exact = known.filter((relation) => displayName(relation) === word);
    const matches = exact.length > 0 ? exact : known.filter((relation) => test(relation.name) || test(displayName(relation)));
    if (matches.length === 0) unknown.push(word);
    if (matches.length > 1 && !isPattern(word)) {
      throw new BucardoError(
        "usage",
        `"${word}" may mean ${matches.map((relation) => `${displayName(relation)} of ${relation.db}`).join(", ")}.`,
        { advice: "Write SCHEMA.NAME, and db=NAME if needed. Nothing was changed." },
      );
    }
    for (const match of matches) chosen.add(match);
  }
  if (unknown.length > 0) {
    throw new BucardoError("unknown-object", `No ${kind} is registered as ${unknown.map((word) => `"${word}"`).join(", ")}.`, {
      advice: `\`bucardo list ${kind}s\` shows them. Nothing was changed.`,
    });
  }
  return [...chosen];
}
