import { expect, test } from "vitest";
import { hasUnicode, noPaint, paintFor, type Paint } from "../paint.ts";
import { Changes } from "./watch-changes.ts";
import type { WatchRow } from "./watch-row.ts";
import { drawWatch, type Look, type Picture } from "./watch-screen.ts";
import { age, ago, fold, harmless, short, sparkline } from "./watch-words.ts";

const now = new Date(2026, 10, 22, 17, 30, 0);

function rowOf(more: Partial<WatchRow> = {}): WatchRow {
  const last = { ended: new Date(now.getTime() - 4000), ms: 42, rows: 120, good: true };
  return {
    name: "pepper",
    from: ["A"],
    to: ["B"],
    word: "Good",
    tone: "good",
    deltas: 0,
    ageSeconds: 0,
    rate: null,
    last,
    notes: [],
    ...more,
  };
}

const stopped = rowOf({
  name: "salt",
  to: ["C", "D"],
  word: "Stopped",
  tone: "bad",
  deltas: 12_345,
  ageSeconds: 75,
  rate: 12.4,
  last: { ended: now, ms: 1500, rows: 0, good: false },
  notes: [{ tone: "bad", text: "C: a row is refused by unique index x", advice: "Mend it, then kick the sync." }],
});

function pictureOf(rows: readonly WatchRow[], more: Partial<Picture> = {}): Picture {
  const daemon = {
    pid: 4711,
    host: "here",
    version: "6",
    reason: null,
    started: new Date(now.getTime() - 7_200_000),
    ready: now,
    stopped: null,
    url: null,
  };
  return { daemon: { alive: true, daemon, local: true, sources: [] }, rows, trouble: null, version: "6.0.0", now, ...more };
}

function draw(picture: Picture, width: number, height = Infinity, more: Partial<Look> = {}): string[] {
  return drawWatch(picture, { width, height, unicode: true, paint: noPaint, trend: () => [0, 4, 8], ...more });
}

test("a wide window shows everything, a narrow one what matters", () => {
  expect(draw(pictureOf([rowOf(), stopped]), 130)).toEqual([
    `Bucardo 6.0.0${" ".repeat(109)}17:30:00`,
    "● daemon runs: pid 4711, for 2 h",
    "2 syncs: 1 good, 1 stopped; lag at most 12.3 k deltas, 75 s; 12 rows/s",
    "",
    "  SYNC    WAY       STATE    DELTAS   AGE  TREND  ROWS/S  LAST RUN  IT DID",
    "● pepper  A → B     Good          0     -  ▁▅█         -   4 s ago  120 rows in 42 ms",
    "✖ salt    A → C, D  Stopped  12.3 k  75 s  ▁▅█        12       now  failed after 1.5 s",
    "    C: a row is refused by unique index x",
    "    ↳ Mend it, then kick the sync.",
  ]);
  expect(draw(pictureOf([rowOf(), stopped]), 44).slice(4, 7)).toEqual([
    "  SYNC    STATE    DELTAS   AGE  LAST RUN",
    "● pepper  Good          0     -   4 s ago",
    "✖ salt    Stopped  12.3 k  75 s       now",
  ]);
});

test("no line is wider than the window and none is too many, whatever the window", () => {
  const names = Array.from({ length: 40 }, (_one, index) => rowOf({ name: `a_rather_long_name_of_a_sync_${index}` }));
  for (const width of [20, 30, 60, 80, 100, 160])
    for (const height of [4, 10, 24, 100]) {
      const lines = draw(
        pictureOf([...names, stopped], { trouble: "The control database: the connection was lost; trying again" }),
        width,
        height,
      );
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
      expect(lines.length).toBeLessThanOrEqual(height);
    }
});

test("where not all fit, what needs somebody comes first and the rest is counted", () => {
  const many = Array.from({ length: 30 }, (_one, index) => rowOf({ name: `s${index}` }));
  const lines = draw(pictureOf([...many, stopped]), 100, 15);
  expect(lines[5]).toMatch(/^✖ salt/);
  expect(lines.at(-1)).toBe("  and 24 more: 24 good");
});

test("a daemon that is gone is said, with what to do", () => {
  const { daemon } = pictureOf([]);
  expect(draw(pictureOf([rowOf()], { daemon: { ...daemon, alive: false } }), 90)[1]).toBe(
    "✖ the daemon is not running, and did not stop in order: `bucardo start`",
  );
  expect(draw(pictureOf([rowOf()], { daemon: { ...daemon, alive: false, daemon: null } }), 90)[1]).toContain("never started");
});

test("colours mean something and never change a width; without them, and without Unicode, all is still there", () => {
  const marked: Paint = (tone, text) => `<${tone}:${text}>`;
  const picture = pictureOf([stopped]);
  const painted = draw(picture, 120, Infinity, { paint: marked });
  expect(painted.some((line) => line.includes("<bad:Stopped>"))).toBe(true);
  expect(painted.map((line) => line.replaceAll(/<\w+:([^>]*)>/g, "$1").trimEnd())).toEqual(draw(picture, 120));
  expect(Array.from(draw(picture, 120, Infinity, { unicode: false }).join("")).filter((letter) => letter > "~" || letter < " ")).toEqual(
    [],
  );
  const io = { isTerminal: true } as Parameters<typeof paintFor>[0];
  expect(paintFor(io, {})("bad", "x")).toBe("\u001b[31mx\u001b[39m");
  expect([paintFor(io, { NO_COLOR: "1" }), paintFor(io, { TERM: "dumb" }), paintFor({ ...io, isTerminal: false }, {})]).toEqual([
    noPaint,
    noPaint,
    noPaint,
  ]);
  expect([hasUnicode({ LANG: "en_GB.UTF-8" }), hasUnicode({ LC_ALL: "C", LANG: "en_GB.UTF-8" }), hasUnicode({})]).toEqual([
    true,
    false,
    false,
  ]);
});

test("names and messages of others cannot steer the terminal", () => {
  expect(harmless("a\u001b[2Jb\nc\u202ed")).toBe("a [2Jb c d");
  const lines = draw(pictureOf([rowOf({ name: "x\u001b[31m", notes: [{ tone: "bad", text: "one\r\ntwo", advice: null }] })]), 100);
  expect(Array.from(lines.join("")).filter((letter) => letter < " ")).toEqual([]);
});

test("numbers, times and curves in little room", () => {
  expect([0, 950, 9999, 12_345, 4_100_000, 7e9].map(short)).toEqual(["0", "950", "9,999", "12.3 k", "4.1 M", "7.0 G"]);
  expect([0.42, 12.3, 300, 10_800, 200_000].map(age)).toEqual(["0.4 s", "12 s", "5 min", "3 h", "2 d"]);
  expect([0, 4000, 200_000].map((ms) => ago(new Date(now.getTime() - ms), now))).toEqual(["now", "4 s ago", "3 min ago"]);
  expect(sparkline([0, 1, 50, 100])).toBe("▁▂▅█");
  expect(fold("aaa bbb ccc ddd", 7, 2, "~")).toEqual(["aaa bbb", "ccc ddd"]);
  expect(fold("aaa bbb ccc ddd eee", 7, 2, "~")).toEqual(["aaa bbb", "ccc dd~"]);
});

test("as lines of JSON only what changed is told", () => {
  const changes = new Changes();
  const status = { alive: true, daemon: null, syncs: [] };
  expect(changes.of(status, [])).toHaveLength(1);
  expect(changes.of(status, [])).toEqual([]);
  expect(changes.of({ ...status, alive: false }, [])).toEqual([{ event: "daemon", alive: false, pid: null, host: null, started: null }]);
  expect([changes.trouble("lost"), changes.trouble("lost")]).toEqual([[{ event: "trouble", message: "lost" }], []]);
  changes.of(status, []);
  expect(changes.trouble("lost")).toHaveLength(1);
});
