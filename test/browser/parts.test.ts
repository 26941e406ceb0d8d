import { expect, test } from "vitest";
import { choose, MOST_DATABASES } from "../../dashboard/graph/arrows.ts";
import { layOut, type Arrow } from "../../dashboard/graph/layout.ts";
import { niceMarks, stretches } from "../../dashboard/plot/scale.ts";
import { EventText } from "../../dashboard/state/event-text.ts";
import { withChange } from "../../dashboard/state/seen.ts";
import { madeUpSnapshot } from "./made-up.ts";

test("events are whole however the stream is cut", () => {
  const text = 'id: 1\nevent: snapshot\ndata: {"a":\ndata: 1}\n\n: a remark\n\nevent: beat\r\ndata: x\r\n\r\n';
  const whole = [
    { event: "snapshot", data: '{"a":\n1}', id: "1" },
    { event: "beat", data: "x", id: null },
  ];
  expect(new EventText().feed(text)).toEqual(whole);
  const cut = new EventText();
  expect(Array.from(text).flatMap((letter) => cut.feed(letter))).toEqual(whole);
});

test("a change replaces, adds and removes by key, and leaves the rest the very same", () => {
  const seen = madeUpSnapshot(3);
  const [first, second, third] = seen.syncs;
  const next = withChange(seen, {
    at: "later",
    syncs: {
      put: [
        { ...second!, word: "Bad" },
        { ...first!, name: "new" },
      ],
      gone: [third!.name],
    },
  });
  expect(next.syncs.map(({ name, word }) => [name, word])).toEqual([
    [first!.name, first!.word],
    [second!.name, "Bad"],
    ["new", first!.word],
  ]);
  expect(next.syncs[0]).toBe(first);
  expect(next.targets).toBe(seen.targets);
  expect(withChange(seen, { at: "later", migration: null }).migration).toBeNull();
});

const SIZES = { boxWidth: 100, boxHeight: 40, layerGap: 100, gap: 10, port: 20 };

test("the picture: who feeds stands left of who is fed, in circles too, nobody on top of another, and boxes grow with their arrows", () => {
  const arrows: Arrow[] = [
    { from: "a", to: "b" },
    { from: "b", to: "a" },
    { from: "b", to: "c" },
    ...["d", "e", "f", "g"].map((from) => ({ from, to: "c" })),
  ];
  const { places, curves, height } = layOut(["a", "b", "c", "d", "e", "f", "g"], arrows, SIZES);
  const at = new Map(places.map((place) => [place.name, place]));
  expect(at.get("b")!.x).toBeGreaterThan(at.get("a")!.x);
  expect(at.get("c")!.x).toBeGreaterThan(at.get("b")!.x);
  expect(at.get("c")!.height).toBe(100);
  for (const one of places)
    for (const other of places.filter(({ name, x }) => name !== one.name && x === one.x))
      expect(one.y + one.height <= other.y || other.y + other.height <= one.y).toBe(true);
  expect(new Set(curves.filter((_curve, index) => arrows[index]!.to === "c").map(({ labelY }) => labelY)).size).toBe(5);
  expect(Math.min(...places.map(({ y }) => y))).toBeGreaterThanOrEqual(0);
  expect(Math.max(...places.map((place) => place.y + place.height))).toBeLessThanOrEqual(height);
});

test("of too many databases those in trouble are drawn", () => {
  const flows = Array.from({ length: 100 }, (_one, index) => ({
    from: `s${index}`,
    to: `t${index}`,
    syncs: ["x"],
    tone: index === 77 ? ("bad" as const) : ("good" as const),
    lag: { deltas: index, ageSeconds: 1 },
    running: false,
  }));
  const { shown, left } = choose(flows);
  expect([shown[0]!.from, shown[1]!.from, left]).toEqual(["s77", "s99", 200 - MOST_DATABASES]);
});

test("axes have round marks; a curve is broken where nothing was known", () => {
  expect(niceMarks(17, 3)).toEqual([0, 10, 20]);
  expect(niceMarks(0)).toEqual([0, 1]);
  expect(niceMarks(144, 3, "seconds")).toEqual([0, 60, 120, 180]);
  expect(niceMarks(3e6, 3, "bytes")).toEqual([0, 1, 2, 3].map((one) => one * 1024 * 1024));
  expect(
    stretches(
      [
        [0, 1],
        [10, 2],
        [20, null],
        [30, 3],
        [90, 4],
      ],
      30,
    ),
  ).toEqual([
    [
      [0, 1],
      [10, 2],
    ],
    [[30, 3]],
    [[90, 4]],
  ]);
});
