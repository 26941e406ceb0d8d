/** The steps of a move up to `ready`, in their order. Each may be repeated after a crash and goes on where it stood. */
export const phases = ["schema", "capture", "copy", "keys", "repair", "constraints", "extras", "catch-up", "compare", "ready"] as const;

export type Phase = (typeof phases)[number];

/** What each step does, for people. */
export const phaseWords: Readonly<Record<Phase, string>> = {
  schema: "structure on the new side, without indexes",
  capture: "changes are captured on the old side",
  copy: "rows are copied in pieces",
  keys: "the keys that replication needs",
  repair: "the first run: one state of the old side",
  constraints: "indexes, foreign keys, triggers, grants",
  extras: "large objects, materialized views, statistics",
  "catch-up": "runs until the lag is gone",
  compare: "both sides are proved equal",
  ready: "in step; `cutover` may come",
};

export function isPhase(text: string): text is Phase {
  return (phases as readonly string[]).includes(text);
}

/** What remains to be done when `phase` is the one that was being done. */
export function phasesFrom(phase: Phase): readonly Phase[] {
  return phases.slice(phases.indexOf(phase));
}
