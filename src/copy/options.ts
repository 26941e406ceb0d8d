import type { QualifiedName } from "../model/name.ts";
import type { Terms } from "../model/terms.ts";
import type { Session } from "../postgres/session.ts";

export type CopyOptions = {
  readonly sync: { readonly id: string; readonly name: string };
  /** Name of the target as in the checkpoint. */
  readonly target: string;
  /** Connections of their own: the copy closes them. */
  readonly openSource: () => Promise<Session>;
  readonly openTarget: () => Promise<Session>;
  /** What the target holds of them is lost. Partitioned tables by their root; members of inheritance one by one. */
  readonly tables: readonly CopiedTable[];
  /** Streams at a time; each needs a connection to either side. */
  readonly jobs: number;
  /** Bytes a second of all streams together; null: as fast as it goes. */
  readonly maxRate: number | null;
  /** About so many bytes of the source's disk travel in one transaction. */
  readonly pieceBytes: number;
  readonly signal: AbortSignal;
  /** Asked between pieces, which are short. */
  readonly paused?: () => boolean;
  readonly onProgress: (progress: CopyProgress) => void;
  /** Called once it is written down what is to be copied: from here on any later call goes on with it. */
  readonly onPlanned?: () => void;
};

/** By its name on the source, with what of it is otherwise on the target. */
export type CopiedTable = QualifiedName & { readonly terms?: Terms | undefined };

export type CopyProgress = {
  readonly tables: number;
  readonly tablesDone: number;
  readonly rows: number;
  /** Of the streams, up to now and by this call and those before it. */
  readonly bytes: number;
  /** On the source's disk; compare with `diskBytesDone`. */
  readonly diskBytes: number;
  readonly diskBytesDone: number;
  /** Of the streams, in the last seconds. */
  readonly bytesPerSecond: number;
  /** Null while nothing can be said. */
  readonly secondsLeft: number | null;
  readonly paused: boolean;
  /** Tables of which pieces are under way, `schema.name`. */
  readonly active: readonly string[];
  /** Of each of them: bytes of the source's disk that pieces under way have carried, beside what `readCopyState` tells. */
  readonly underWay: ReadonlyMap<string, number>;
};

export type CopyResult = {
  readonly tables: number;
  readonly rows: number;
  readonly bytes: number;
  /** Pieces that had arrived before this call. */
  readonly resumedPieces: number;
};
