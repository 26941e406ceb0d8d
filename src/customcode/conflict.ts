import type { ConflictPage, ConflictVerdict } from "../replicate/conflict-hook.ts";
import type { Winner } from "./winner.ts";

/** Columns of a key in one text, as version 5 has it. */
export function keyOf(key: readonly string[]): string {
  return key.join("\0");
}

/** What code gets to see of a page: `conflicts` as in version 5 (key, then who has it), and `details` in their order. Pure. */
export function inputOf(page: ConflictPage): Readonly<Record<string, unknown>> {
  return {
    conflicts: Object.fromEntries(page.conflicts.map(({ key, incoming, local }) => [keyOf(key), { [incoming.db]: 1, [local.db]: 1 }])),
    details: page.conflicts,
    keycolumns: page.keyColumns,
    sources: page.sources,
  };
}

/** What one piece of code decided: by position in the page. Rows that it left as they were are not in it. Pure. */
export function decidedBy(page: ConflictPage, output: Readonly<Record<string, unknown>>): Map<number, string> {
  const byKey = recordOf(output["conflicts"]);
  const byPosition = recordOf(output["winners"]);
  const winners = new Map<number, string>();
  for (const [position, { key }] of page.conflicts.entries()) {
    const said = byPosition[position] ?? byKey[keyOf(key)];
    if (typeof said === "string" && said !== "") winners.set(position, said);
  }
  return winners;
}

/** The same in the words of the engine. */
export function verdictOf(winners: ReadonlyMap<number, string>, winner: Winner | null, why: string | null): ConflictVerdict | null {
  if (winners.size === 0 && winner === null) return null;
  const { how, databases } = winner ?? { how: null, databases: [] };
  return {
    ...(winners.size > 0 && { winners }),
    ...(how === "tablewinner" && { tablewinner: databases }),
    ...(how === "tablewinner_always" && { tablewinnerAlways: databases }),
    ...(how === "syncwinner" && { syncwinner: databases }),
    ...(how === "syncwinner_always" && { syncwinnerAlways: databases }),
    ...(why !== null && { why }),
  };
}

function recordOf(value: unknown): Readonly<Record<string | number, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
