import type { KeyColumn } from "../capture/key-column.ts";

/** A table on both sides, as far as moving rows needs it. */
export type TableLink = {
  readonly name: { readonly schema: string; readonly name: string };
  readonly source: { readonly partitioned: boolean; readonly key: readonly KeyColumn[] };
  readonly target: { readonly partitioned: boolean; readonly key: readonly KeyColumn[] };
  /** Columns that travel, in the source's order. */
  readonly columns: readonly LinkColumn[];
  readonly binary: boolean;
  /** upsert: rows keep their place; replace: DELETE and INSERT, where ON CONFLICT cannot be used (rules forbid it even while they are silent). */
  readonly strategy: "upsert" | "replace";
  /** Tables that this one refers to; matters only without the replica role. */
  readonly refersTo: readonly string[];
  /** Why it cannot be written without the replica role; empty: it can. */
  readonly awake: readonly AwakeObstacle[];
};

/** Remedy null: the replica role. */
export type AwakeObstacle = { readonly what: string; readonly remedy: string | null };

export type LinkColumn = {
  readonly name: string;
  readonly stageType: string;
  readonly keyPosition: number | null;
  /** False for a key column that the target computes: it travels to find its row. */
  readonly written: boolean;
  /** By ON CONFLICT DO UPDATE. */
  readonly settable: boolean;
};
