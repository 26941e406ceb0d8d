import type { CustomCode } from "../model/customcode.ts";
import type { CopyPolicy, FileDatabase } from "../model/sync.ts";
import type { RunDefinition } from "../replicate/definition.ts";
import type { Limit } from "./admission.ts";

/** Who sends to whom in its runs. */
export function edgesOf({ definition, back }: Pick<Job, "definition" | "back">): { readonly source: string; readonly target: string }[] {
  return [definition, ...(back === null ? [] : [back])].map(({ source, target }) => ({ source, target }));
}

/** What a loop works on; replaced as a whole when the definitions change, and taken over by the next run. */
export type Job = {
  readonly definition: RunDefinition;
  /** The way back, where both databases are sources: it runs first, so that others get with the same run what came. Null: there is none. */
  readonly back: RunDefinition | null;
  /** The target is files; null: it is a server. */
  readonly files: FileDatabase | null;
  /** Role fullcopy: each run copies everything, when it is asked for. */
  readonly whole: boolean;
  readonly copying: CopyPolicy;
  /** Which request for a copy its onetimecopy is; each has a number of its own. */
  readonly copyRequest: number;
  readonly checktime: number | null;
  readonly paused: boolean;
  /** Wake up on changes of the source. */
  readonly autokick: boolean;
  /** How many runs may use its databases, and go on for its sync, at once. */
  readonly limits: readonly Limit[];
  /** Text by which changed connection settings are noticed. */
  readonly connections: string;
  /** Of the sync and its tables. */
  readonly codes: readonly CustomCode[];
  /** All databases of the sync that are active servers. */
  readonly databases: readonly string[];
};
