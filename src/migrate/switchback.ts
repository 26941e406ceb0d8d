import { cutover, type CutoverContext, type CutoverReport } from "./cutover.ts";
import { turnAround } from "./way-back.ts";

/**
 * The way back: the same guarded step in the other direction. The context is that of the cutover; only poolers and the switch command are those for the way
 * back. Runs in the other direction have kept the old side near.
 */
export function switchback(context: CutoverContext): Promise<CutoverReport> {
  return cutover({ ...context, from: context.to, to: context.from, definition: turnAround(context.definition) });
}
