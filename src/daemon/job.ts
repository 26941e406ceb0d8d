import type { CustomCode } from "../model/customcode.ts";
import type { RunDefinition } from "../replicate/definition.ts";

/** What a loop works on; replaced as a whole when the definitions change, and taken over by the next run. */
export type Job = {
  readonly definition: RunDefinition;
  readonly checktime: number | null;
  readonly paused: boolean;
  /** Wake up on changes of the source. */
  readonly autokick: boolean;
  /** Text by which changed connection settings are noticed. */
  readonly connections: string;
  /** Of the sync and its tables. */
  readonly codes: readonly CustomCode[];
  /** All databases of the sync that are active. */
  readonly databases: readonly string[];
};
