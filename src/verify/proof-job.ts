import type { Session } from "../postgres/session.ts";
import type { RunDefinition } from "../replicate/definition.ts";

export type ProofJob = {
  /** Two connections of its own. */
  readonly source: Session;
  readonly target: Session;
  /** The sync whose capture tells what was touched. */
  readonly definition: RunDefinition;
  readonly installation: string;
  /** A run that begins after the call: it carries the target beyond every state of the source seen before. */
  readonly advance: () => Promise<unknown>;
  /** Called as each table was looked at as a whole. */
  readonly onTable?: (table: string) => void;
  readonly signal?: AbortSignal;
};
