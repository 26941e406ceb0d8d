import type { CutoverEvent } from "../../migrate/cutover.ts";
import { moment } from "./measure.ts";

const MARKS = { ok: "+", warn: "!", blocked: "x" } as const;

/**
 * What happens during a cutover, as lines; none for what need not be told. Gates that are open are counted, and told one by one only with `all`. Feed it
 * with every event, in order.
 */
export function eventTeller(all: boolean): (event: CutoverEvent) => string[] {
  let open = 0;
  return (event) => {
    if (event.kind === "gate" && event.gate.state === "ok" && !all) {
      open++;
      return [];
    }
    const line = eventLine(event);
    if (line === null) return [];
    const before = open === 0 || event.kind === "gate" ? [] : [`  + ${open} gates are open`];
    if (before.length > 0) open = 0;
    return [...before, line];
  };
}

function eventLine(event: CutoverEvent): string | null {
  switch (event.kind) {
    case "step":
      return null;
    case "step-done":
      return `  ${event.step.padEnd(36)} ${moment(event.ms).padStart(9)}${event.detail === null ? "" : `  ${event.detail}`}`;
    case "compared":
      return null;
    case "gate":
      return `  ${MARKS[event.gate.state]} gate ${event.gate.name}: ${event.gate.why}${event.gate.remedy === null || event.gate.state === "ok" ? "" : ` ${event.gate.remedy}`}`;
    case "waiting":
      return "  writers wait from here on";
    case "waited":
      return `  writers go on after ${moment(event.ms)}`;
    case "warning":
      return `  ! ${event.text}`;
    case "output":
      return `  ${event.from}: ${event.text}`;
  }
}
