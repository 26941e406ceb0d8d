import { expect, test } from "vitest";
import type { Phase } from "../../migrate/phase.ts";
import type { Io } from "../io.ts";
import { openDisplay } from "./display.ts";
import type { View } from "./view.ts";

const view = (phase: Phase): View => ({
  from: "a",
  to: "b",
  phase,
  idle: false,
  elapsedMs: 0,
  took: { "catch-up": 1000, compare: 2000, ready: 0 },
  progress: null,
});

function lines(views: readonly View[]): string[] {
  const said: string[] = [];
  const io: Io = {
    interactive: false,
    isTerminal: false,
    width: 80,
    verbose: 0,
    out: (line) => void said.push(line),
    write: () => undefined,
    err: () => undefined,
    ask: async () => null,
  };
  const display = openDisplay(io, "plain");
  for (const each of views) display.show(each);
  display.end();
  return said;
}

test("plain lines tell each phase once, and that a move is ready is left to the command", () => {
  expect(lines([view("catch-up"), view("catch-up"), view("compare"), view("ready"), view("ready")])).toEqual([
    "catch-up: runs until the lag is gone",
    "catch-up: done in 1.0 s",
    "compare: both sides are proved equal",
    "compare: done in 2.0 s",
  ]);
  expect(lines([view("ready")])).toEqual([]);
});
