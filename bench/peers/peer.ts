import type { TestDatabase } from "../../test/harness/database.ts";

/** Two databases with equal tables, on two servers. */
export type DatabasePair = { readonly source: TestDatabase; readonly target: TestDatabase };

/** live: what commits is delivered at once. held: it waits until release(). */
export type Mode = "live" | "held";

/** A program that replicates tables. */
export type Peer = {
  readonly name: string;
  /** Why it cannot take part here; null when it can. */
  readonly missing: () => string | null;
  /** The servers load this library. */
  readonly preload?: string;
  /** Only what notes changes on the source, with nothing running. Absent where that needs no trigger. */
  readonly capture?: (pair: DatabasePair, tables: readonly string[]) => Promise<AsyncDisposable>;
  /** Replicates the tables; settles when it is up and has delivered a first change. */
  readonly replicate: (pair: DatabasePair, tables: readonly string[], mode: Mode) => Promise<Replication>;
};

export type Replication = AsyncDisposable & {
  /** Delivers what waits; processes, connections and workers are up already. Only in mode held. */
  readonly release: () => Promise<void>;
  /** The most memory that its largest process of its own (not a server's) has had so far, in bytes; null where it has none. */
  readonly peakMemory: () => number | null;
  /** Its processes outside the servers. */
  readonly pids: () => readonly number[];
};
