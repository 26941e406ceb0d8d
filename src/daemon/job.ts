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
};
