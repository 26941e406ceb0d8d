import type { QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import type { RunDefinition } from "../replicate/definition.ts";
import type { TablePrint } from "./table-hash.ts";

export type ProofJob = {
  /** Two connections of its own. */
  readonly source: Session;
  readonly target: Session;
  /** The sync whose capture tells what was touched. */
  readonly definition: RunDefinition;
  readonly installation: string;
  /** A run that begins after the call: it carries the target beyond every state of the source seen before. */
  readonly advance: () => Promise<unknown>;
  /** Two more connections for each stream that looks at pieces of large tables. */
  readonly open: () => Promise<{ readonly source: Session; readonly target: Session }>;
  /** Streams at a time; default 1. */
  readonly jobs?: number;
  /** A table that is larger on the source's disk is looked at in pieces of about this size, each in a snapshot of its own; default `PIECE_BYTES`. */
  readonly pieceBytes?: number;
  /** With more deltas to look at, keys are fetched some at a time; for tests. */
  readonly keysAtOnce?: number;
  /** A piece that differs in more keys is not followed key by key; default `FOLLOWED_KEYS`. */
  readonly followedKeys?: number;
  /** Asked between pieces, which take seconds. */
  readonly paused?: () => boolean;
  /** Called as each table was looked at as a whole. */
  readonly onTable?: (table: string) => void;
  /** What each table held that was looked at as a whole; awaited before that is remembered. It may come again, also for tables of earlier calls. */
  readonly onPrint?: (table: QualifiedName, print: TablePrint) => Promise<void>;
  /** Of the tables that are looked at as a whole; called often. */
  readonly onProgress?: (progress: ProofProgress) => void;
  readonly signal?: AbortSignal;
};

export type ProofProgress = {
  /** On the source's disk: of all tables that this proof looks at as a whole, and of that what was shown to be equal, by earlier calls too. */
  readonly bytes: number;
  readonly bytesDone: number;
  /** Rows of pieces shown in this call. */
  readonly rows: number;
  /** Tables that pieces are looked at of. */
  readonly tables: readonly { readonly table: string; readonly bytes: number; readonly bytesDone: number }[];
};
