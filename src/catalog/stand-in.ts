import type { TableShape } from "./table.ts";

const kinds: Partial<Record<TableShape["kind"], string>> = { view: "a view", matview: "a materialized view", foreign: "a foreign table" };

/** What has the name of a table but can neither be captured nor hold rows of ours: `a view`; null for real tables. */
export function standIn({ kind, persistence }: Pick<TableShape, "kind" | "persistence">): string | null {
  return kinds[kind] ?? (persistence === "t" ? "a temporary table" : null);
}
