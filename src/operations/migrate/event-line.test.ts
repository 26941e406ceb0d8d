import { expect, test } from "vitest";
import type { CutoverEvent, Gate } from "../../migrate/cutover.ts";
import { eventTeller } from "./event-line.ts";

const gate = (name: Gate["name"], state: Gate["state"]): CutoverEvent => ({
  kind: "gate",
  gate: { name, state, why: "so it is", remedy: "Do this." },
});
const done: CutoverEvent = { kind: "step-done", step: "last run", ms: 12.3, detail: "5 rows" };

test("open gates are one line, others are told with what to do", () => {
  const tell = eventTeller(false);
  const lines = [gate("lag", "ok"), gate("compare", "warn"), gate("ddl", "ok"), gate("schema", "blocked"), done, done].flatMap(tell);
  expect(lines).toEqual([
    "  ! gate compare: so it is Do this.",
    "  x gate schema: so it is Do this.",
    "  + 2 gates are open",
    "  last run                                 12 ms  5 rows",
    "  last run                                 12 ms  5 rows",
  ]);
});

test("what keeps writers waiting stands between two lines", () => {
  const tell = eventTeller(false);
  expect([{ kind: "waiting" } as const, done, { kind: "waited", ms: 12.6 } as const].flatMap(tell)).toEqual([
    "  writers wait from here on",
    "  last run                                 12 ms  5 rows",
    "  writers go on after 13 ms",
  ]);
});

test("with all, each gate has its line", () => {
  expect([gate("lag", "ok"), done].flatMap(eventTeller(true))).toHaveLength(2);
});
