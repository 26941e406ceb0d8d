import { expect, test } from "vitest";
import { fillRest, type Point } from "./fill-rest.ts";

const rest = (at: number): Point => [at, 0, 0, 0, 0, 0, 0];
const work = (at: number): Point => [at, 5, 1, 7, 100, 1, 0];

test("work that begins after a rest begins there, not at the last note of the rest", () => {
  expect(fillRest([rest(0), work(200)], 10, 330)).toEqual([rest(0), rest(190), work(200)]);
});

test("neighbours, work after work and what nobody looked at stay as they are", () => {
  for (const points of [[rest(0), work(10)], [work(0), work(200)], [rest(0), work(400)], [work(0)], []])
    expect(fillRest(points, 10, 330)).toEqual(points);
});
