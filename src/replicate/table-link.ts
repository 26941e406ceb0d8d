import type { KeyColumn } from "../capture/key-column.ts";
import type { QualifiedName } from "../model/name.ts";
import { quoteIdent } from "../postgres/quote.ts";

/** A table on both sides, as far as moving rows needs it. */
export type TableLink = {
  /** On the source; the one that is told. */
  readonly name: QualifiedName;
  readonly source: {
    readonly partitioned: boolean;
    /** By the names of the source's table. */
    readonly key: readonly KeyColumn[];
    /** To stand in FROM with the alias t: the rows that travel, their columns called as the target does. */
    readonly from: string;
  };
  readonly target: { readonly name: QualifiedName; readonly partitioned: boolean; readonly key: readonly KeyColumn[] };
  /** Columns that travel, in the source's order, as the target calls them. */
  readonly columns: readonly LinkColumn[];
  readonly binary: boolean;
  /** upsert: rows keep their place; replace: DELETE and INSERT, where ON CONFLICT cannot be used (rules forbid it even while they are silent). */
  readonly strategy: "upsert" | "replace";
  /** Tables of the target that this one refers to; matters only without the replica role. */
  readonly refersTo: readonly string[];
  /** The same table as it is captured on the target, which is a source too: what is written there must be told on. Empty: it is none. */
  readonly relays: readonly Relay[];
  /** Why it cannot be written without the replica role; empty: it can. */
  readonly awake: readonly AwakeObstacle[];
};

/** A captured table on the target; the key columns by their names there. */
export type Relay = { readonly captured: number; readonly key: readonly string[] };

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

/** Where `t` is the source of a link: the key of its row, in the order of the captured key. */
export function keyInSource(link: TableLink): string[] {
  return link.source.key.map((column, position) => {
    const carried = link.columns.find(({ keyPosition }) => keyPosition === position)?.name ?? column.name;
    return `t.${quoteIdent(carried)}${column.cast}`;
  });
}
