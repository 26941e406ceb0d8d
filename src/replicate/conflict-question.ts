import type { Strategy } from "../model/conflict.ts";
import type { Session } from "../postgres/session.ts";
import type { Meeting } from "./conflict-find.ts";
import type { ConflictHook } from "./conflict-hook.ts";
import type { RunDefinition } from "./definition.ts";

/** What is to be decided about conflicts of one table, and by whom. */
export type Question = {
  readonly session: Session;
  readonly definition: RunDefinition;
  readonly meeting: Meeting;
  /** All tables of the run. */
  readonly meetings: readonly Meeting[];
  readonly kind: "row" | "unique";
  readonly strategy: Strategy;
  readonly hook: ConflictHook | null;
  readonly signal: AbortSignal;
};
