import { expect, test } from "vitest";
import { textLine } from "./text-line.ts";

const entry = { level: "info", time: "2026-11-22T17:31:54.123Z", pid: 42, msg: "Settled." };
const line = (more: object, style = {}) => textLine(JSON.stringify({ ...entry, ...more }), { showTime: "utc", ...style });

test("pid, time, level, sync, message, fields", () => {
  expect(line({ sync: "pepper", rows: 5, table: "public.t" })).toBe(
    "(42) [2026-11-22 17:31:54.123Z] INFO pepper: Settled. (rows=5 table=public.t)\n",
  );
  expect(line({})).toBe("(42) [2026-11-22 17:31:54.123Z] INFO Settled.\n");
});

test("each part may be left out; times of three kinds", () => {
  expect(line({ sync: "pepper" }, { showPid: false, showTime: "none", showLevel: false, showSync: false })).toBe("Settled.\n");
  expect(line({}, { showTime: "epoch" })).toContain("[1795368714.123]");
  expect(line({}, { showTime: "local" })).toMatch(/\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.123\]/);
});

test("an error: its message in the line; problems, advice and stack below, indented", () => {
  expect(
    line({ err: { message: "it broke", advice: "Mend it.", problems: ["one", "two"], stack: "Error\n at x" } }, { showTime: "none" }),
  ).toBe("(42) INFO Settled. it broke\n    one\n    two\n    Mend it.\n    Error\n     at x\n");
});

test("a line break in a value cannot forge a line of the log", () => {
  expect(line({ msg: "a\n(1) INFO b" }, { showTime: "none" }).split("\n")).toHaveLength(2);
  expect(line({ table: "s.a\nb" }, { showTime: "none" }).split("\n")).toHaveLength(2);
});
