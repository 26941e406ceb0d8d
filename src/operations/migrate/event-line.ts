import type { CutoverEvent } from "../../migrate/cutover.ts";
import { moment } from "./measure.ts";

const MARKS = { ok: "+", warn: "!", blocked: "x" } as const;

/** What happens during a cutover, a line each; null for what need not be told. Pure. */
export function eventLine(event: CutoverEvent): string | null {
  switch (event.kind) {
    case "step":
      return null;
    case "step-done":
      return `  ${event.step.padEnd(36)} ${moment(event.ms).padStart(9)}${event.detail === null ? "" : `  ${event.detail}`}`;
    case "compared":
      return null;
    case "gate":
      return `  ${MARKS[event.gate.state]} gate ${event.gate.name}: ${event.gate.why}${event.gate.remedy === null || event.gate.state === "ok" ? "" : ` ${event.gate.remedy}`}`;
    case "warning":
      return `  ! ${event.text}`;
    case "output":
      return `  ${event.from}: ${event.text}`;
  }
}
