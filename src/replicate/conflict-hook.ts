/** What competes: one row changed on both sides, two rows with one unique value, or a row that refers to one that is gone. */
export type ConflictKind = "row" | "unique" | "foreign_key";

/** One side of a conflict. */
export type ConflictSide = {
  /** The database where the change was made, maybe not the one it came from last. */
  readonly db: string;
  /** When, as ISO 8601 text by the clock of that database; null: not known. */
  readonly at: string | null;
  /** The change was a deletion. */
  readonly gone: boolean;
};

export type Conflict = {
  /** As text, in the order of the table's key; of the row that arrives. */
  readonly key: readonly string[];
  readonly kind: ConflictKind;
  /** The change that arrives, and the one that it meets. */
  readonly incoming: ConflictSide;
  readonly local: ConflictSide;
};

/** Some conflicts of one table in one run; a table with many comes in several of these. */
export type ConflictPage = {
  readonly sync: string;
  /** As displayed: schema.name. */
  readonly table: string;
  readonly keyColumns: readonly string[];
  /** Databases of the sync that are sources, first the one that all others exchange with. */
  readonly sources: readonly string[];
  readonly conflicts: readonly Conflict[];
  /** Row images by conflict, columns by name as JSON has them; null: deleted. Values of rows: never to a log. */
  images(
    of: readonly Conflict[],
  ): Promise<readonly { readonly incoming: Record<string, unknown> | null; readonly local: Record<string, unknown> | null }[]>;
};

/**
 * What a handler says. The first that fits counts: `winners`, then `tablewinner`, then `syncwinner`; what is left goes to the next handler, and in the
 * end to the table's strategy. Winners are names of databases; a list means the first of them that changed the row, and a name that did not change it
 * at all stops the sync.
 */
export type ConflictVerdict = {
  /** By the position in `conflicts`. "skip": neither wins, both rows stay as they are. */
  readonly winners?: ReadonlyMap<number, string>;
  /** For this table in this run. */
  readonly tablewinner?: readonly string[];
  /** For this table in this and all later runs of this daemon. */
  readonly tablewinnerAlways?: readonly string[];
  /** For all tables of this run from here on. */
  readonly syncwinner?: readonly string[];
  readonly syncwinnerAlways?: readonly string[];
  /** Told to the log of the conflict: why. Never with values. */
  readonly why?: string;
};

/** User code that decides conflicts. Called within a run, with the member's transaction open: it should be quick. Errors stop the run. */
export type ConflictHook = {
  /** Null: nothing to say. */
  decide(page: ConflictPage, signal: AbortSignal): Promise<ConflictVerdict | null>;
};
