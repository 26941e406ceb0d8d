import type { QualifiedName } from "../model/name.ts";

/** The schema of everything we put on a source; `pg_dump -N bucardo` leaves it out. */
export const SCHEMA = "bucardo";

/** Class of our advisory locks: "bu". */
export const LOCK_CLASS = 25205;
/** Held by a daemon on a source while it sleeps, so that writers notify it; without a daemon nobody does (see daemon/wake-up-state.ts). */
export const LOCK_ASLEEP = 2;
/** Taken by everything that replaces trigger functions or changes the capture schema (hazard 11). */
export const LOCK_CAPTURE = 3;

/** Channel on which the trigger functions wake a sleeping daemon. */
export const WAKE_CHANNEL = "bucardo";

/** Owner of the trigger functions where we may create roles: it can do nothing but add deltas (hazard 16). */
export const CAPTURE_ROLE = "bucardo_capture";

/** The number, not the table's name: names may hold anything, be long, and collide when joined. */
export function deltaTable(captured: number, generation: number): QualifiedName {
  return { schema: SCHEMA, name: `delta_${captured}_${generation}` };
}

export const captureEvents = ["insert", "update", "delete", "truncate", "key", "row", "guard"] as const;

export type CaptureEvent = (typeof captureEvents)[number];

export function functionName(captured: number, event: CaptureEvent): QualifiedName {
  return { schema: SCHEMA, name: `capture_${captured}_${event}` };
}

/** With the number too: a partition may be captured by itself and as a part of its tree. */
export function triggerName(captured: number, event: CaptureEvent): string {
  return `bucardo_${event}_${captured}`;
}
