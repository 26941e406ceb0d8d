import { expect, test } from "vitest";
import { reportHtml, type ReportFacts } from "./report.ts";

const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, second));

const facts: ReportFacts = {
  program: "bucardo 6",
  from: "old:5432/app",
  to: "new:5432/app",
  fromVersion: "12.22",
  toVersion: "18.4",
  migration: {
    id: "0",
    targetPlace: "new:5432/app",
    targetIdentity: { system: "1", timeline: 1, database: 1, lsn: "0" },
    found: { loose: [], things: [], rights: [], defaults: [], settings: [], connectionLimit: -1, database: true },
    options: { only: [], skip: [], jobs: 2, maxRate: null, roles: true, pgDump: null, skipObjects: [] },
    relations: {
      tables: [{ schema: "public", name: "<b>", oid: 1, key: ["id"], handling: "follow", bytes: 12_345, unlogged: false, reason: null }],
      sequences: [],
      leftOut: [],
      unchosen: [],
    },
    phase: "ready",
    openSide: "old",
    progress: null,
    startedAt: at(0),
    changedAt: at(9),
  },
  steps: [
    { phase: "schema", began: at(0), ended: at(2), outcome: "done", detail: { objects: 12 } },
    { phase: "copy", began: at(2), ended: at(6), outcome: "failed", detail: { error: "x & y" } },
    { phase: "copy", began: at(7), ended: at(9), outcome: "done", detail: null },
  ],
  samples: [
    { at: at(3), phase: "copy", done: 10, rate: 5, deltas: null },
    { at: at(5), phase: "copy", done: 30, rate: 10, deltas: 4 },
    { at: at(8), phase: "copy", done: 40, rate: 7, deltas: 2 },
  ],
  tables: [
    {
      table: "public.<b>",
      handling: "follow",
      key: ["id"],
      bytes: 12_345,
      copied: 40,
      compared: { rows: 41, hash: "00c0ffee00c0ffee", onTheWay: 2, at: at(9) },
    },
    { table: "public.log", handling: "window", key: null, bytes: 8192, copied: null, compared: null },
  ],
  madeAt: at(10),
};

test("the report is one file: nothing is fetched, nothing runs, names are text", () => {
  const html = reportHtml(facts);
  expect(html).not.toMatch(/<script|https?:|src=|@import|url\(/);
  expect(html).toContain("public.&lt;b&gt;");
  expect(html).toContain("x &amp; y");
});

test("each table has its rows and their hash, as they were compared", () => {
  const html = reportHtml(facts);
  expect(html).toMatch(/public\.&lt;b&gt;.*>40<.*>41<.*00c0ffee00c0ffee.*2 rows on the way/);
  expect(html).toContain("copied at the cutover");
});

test("every step is in the timeline and in the list, broken off ones too", () => {
  const html = reportHtml(facts);
  expect(html.match(/<i /g)).toHaveLength(3);
  expect(html.match(/<i class="failed"/g)).toHaveLength(1);
  expect(html).toContain("12 objects");
  expect(html.match(/class="curve"/g)).toHaveLength(2);
});

test("a cutover tells how long writers waited, and what that was made of", () => {
  const timings = [
    { step: "close to writers", at: 0, ms: 2 },
    { step: "last run", at: 2, ms: 40 },
  ];
  const detail = { outcome: "switched", downtimeMs: 42, timings };
  const html = reportHtml({
    ...facts,
    steps: [...facts.steps, { phase: "cutover", began: at(9), ended: at(10), outcome: "done", detail }],
  });
  expect(html).toContain("Writers waited 42 ms.");
  expect(html).toMatch(/last run<\/span>.*left:4\.76%;width:95\.24%/);
});

test("a move that has not begun has a report as well", () => {
  expect(reportHtml({ ...facts, steps: [], samples: [] })).toContain("Nothing was done yet.");
});
