import type { QualifiedName } from "../model/name.ts";

/** What one sync wants captured on one source. */
export type CaptureRequest = {
  readonly sync: { readonly id: string; readonly name: string };
  readonly installation: string;
  readonly targets: readonly string[];
  readonly relations: readonly CaptureRelation[];
  /**
   * What the sync had before. Of that, whatever this source does not capture for it was lost (given up for the quota, or dropped), so changes went by
   * unseen: the target gets the table whole. All else counts from now.
   */
  readonly promised?: { readonly targets: readonly string[]; readonly tables: readonly QualifiedName[] } | undefined;
  /** Default true. False: captured and pinned, but no run touches them until a copy has filled them (src/copy), which then joins them. */
  readonly join?: boolean;
  /** Several databases of the sync are sources: deltas tell when and by which databases a change came. */
  readonly stamped?: boolean;
  /** How long one CREATE TRIGGER may wait for writers before it steps aside; default 2000. */
  readonly lockTimeoutMs?: number;
  /** How often a locked table is tried; default 10. */
  readonly attempts?: number;
  /** Told each time a table is locked by others. */
  readonly onBlocked?: (message: string, attempt: number) => void;
  readonly signal?: AbortSignal;
};

export type CaptureRelation = {
  readonly kind: "table" | "sequence";
  readonly name: QualifiedName;
  /** Columns of the key; null for sequences. */
  readonly key: readonly string[] | null;
  readonly autokick: boolean;
};
