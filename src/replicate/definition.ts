import type { Shape } from "../capture/shape.ts";
import type { Snapshot } from "../model/snapshot.ts";
import type { LockMode } from "../model/lock-mode.ts";
import type { QualifiedName } from "../model/name.ts";
import type { Exchange } from "../model/conflict.ts";
import type { Terms } from "../model/terms.ts";
import type { OnError, TableCopyPolicy } from "../model/sync.ts";

/** What one run needs to know: one sync, one source, one target. */
export type RunDefinition = {
  readonly sync: { readonly id: string; readonly name: string };
  /** Registered names of the two databases. */
  readonly source: string;
  readonly target: string;
  readonly relations: readonly RunRelation[];
  /** 1: this run copies every table whole; 2: only those that are empty on the target. */
  readonly onetimecopy: 0 | 1 | 2;
  readonly strict: boolean;
  /** Absent: stop. */
  readonly onError?: OnError;
  /** Both are sources and each gets the other's changes: what a conflict between them means. Absent: the source is always right. */
  readonly exchange?: Exchange;
  /** The run locks its tables on the target in this mode before it does anything; absent or null: it takes only what it needs. */
  readonly forceLock?: LockMode | null;
};

/** By its name on the source. */
export type RunRelation = {
  readonly kind: "table" | "sequence";
  readonly name: QualifiedName;
  readonly key: readonly string[] | null;
  /** False: it is taken as it fits, however strict the sync is. */
  readonly strict?: false;
  /** What of it is otherwise on the target. */
  readonly terms?: Terms;
  /** What of its copies is otherwise than the sync's. */
  readonly copying?: Partial<TableCopyPolicy>;
};

/** A captured table of the sync as the run's snapshot sees it. */
export type BatchTable = {
  readonly captured: number;
  readonly oid: number;
  readonly name: QualifiedName;
  readonly partitioned: boolean;
  readonly terms?: Terms | undefined;
  readonly keyColumns: readonly string[];
  /** Its deltas tell by which databases a change came: none that this one is among is sent. Null: they do not. */
  readonly except: string | null;
  /** Delta tables that are no empty file; what waits is in them. */
  readonly generations: readonly number[];
  /** Pending is what this snapshot does not see. */
  readonly cutoff: Snapshot;
  readonly recopy: boolean;
  /** Of the row that says so: a copy that is asked for while this run makes one is not this one. */
  readonly version: string;
  /** Joined the sync after its checkpoint and has a cutoff of its own. */
  readonly joining: boolean;
  /** No run has carried it to this target yet. */
  readonly first?: boolean;
  /** OIDs of the parts truncated since the cutoff, maybe the table itself. */
  readonly truncated: readonly number[];
  /** The shape stored with the checkpoint; null before the first run. */
  readonly before: Shape | null;
  readonly now: Shape;
  /** Parts that lack one of our triggers. */
  readonly uncaptured: readonly number[];
  /** Deltas waiting, and rows set aside that are to be tried again: an upper bound of the keys. */
  readonly deltas: number;
  /** Rows of it that are set aside for this target, and the numbers of those to be tried again. */
  readonly setAside: number;
  readonly replays: readonly number[];
};

export type Checkpoint = {
  readonly text: string;
  readonly snapshot: Snapshot;
  readonly run: number;
  readonly sourceIdentity: Identity | null;
  readonly targetIdentity: Identity | null;
  readonly targetXid: number | null;
};

/** Which server and which history a connection leads to. Null where the server does not tell us. */
export type Identity = {
  readonly system: string | null;
  readonly timeline: number;
  readonly database: number;
  /** Position of the write-ahead log, as a number of bytes in decimal text. */
  readonly lsn: string;
};

/** All that a run found on the source, at one snapshot. */
export type Batch = {
  readonly snapshot: Snapshot;
  readonly snapshotText: string;
  readonly checkpoint: Checkpoint;
  /** Those that must be looked at; all others of the sync are as the checkpoint has them. */
  readonly tables: readonly BatchTable[];
  /** Captured tables that are subscribed and no part of the definition, because it is older or newer. */
  readonly leftOut: readonly number[];
  /** Captured tables that are locked already, and were found unchanged behind the lock. */
  readonly held: ReadonlySet<number>;
};
