import { expect, test } from "vitest";
import type { MigrationProgress } from "../../migrate/progress.ts";
import { draw, summarize, type View } from "./view.ts";

const progress: MigrationProgress = {
  phase: "copy",
  doing: null,
  done: 4 * 1024 ** 3,
  expected: 8 * 1024 ** 3,
  unit: "bytes",
  rate: 100 * 1024 ** 2,
  secondsLeft: 41,
  tables: [
    { table: "public.big", done: 3 * 1024 ** 3, expected: 6 * 1024 ** 3, state: "copies" },
    { table: "a_schema_with_a_long_name.and_a_table_with_a_longer_one", done: 0, expected: 1024, state: "waits" },
  ],
  lag: null,
  at: 0,
};
const view: View = {
  from: "old.example:5432/app",
  to: "new.example:5432/app",
  phase: "copy",
  idle: false,
  elapsedMs: 65_000,
  took: { schema: 830, capture: 1200, copy: 60_000 },
  progress,
};

test("every phase has its line, the present one its tables", () => {
  const lines = draw(view, 80);
  expect(lines[0]).toMatch(/^old\.example:5432\/app -> new\.example:5432\/app +1 min 05 s$/);
  expect(lines.filter((line) => line.startsWith(" + "))).toHaveLength(2);
  expect(lines.find((line) => line.startsWith(" > "))).toContain("copy");
  expect(lines.join("\n")).toContain("4.0 GB of 8.0 GB, 100 MB/s, 41 s left");
  expect(lines.join("\n")).toContain("[############............]  50 %  3.0 GB");
});

test.each([40, 60, 80, 200])("no line is wider than %i columns", (width) => {
  for (const line of draw(view, width)) expect(line.length).toBeLessThanOrEqual(width);
});

test("a summary leaves out what is not known", () => {
  expect(summarize({ ...progress, expected: null, rate: null, secondsLeft: null })).toBe("4.0 GB");
  expect(summarize({ ...progress, doing: "index a", done: 3, expected: 10, unit: "objects", rate: null, secondsLeft: null })).toBe(
    "index a, 3 of 10 objects",
  );
});
