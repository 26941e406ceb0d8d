import { expect, test } from "vitest";
import type { TableState } from "../copy/state.ts";
import { chooseShown } from "./copy-rows.ts";

const state = (name: string, diskBytes: number, diskBytesDone: number, done = false): TableState => ({
  name: { schema: "public", name },
  done,
  pieces: 2,
  piecesDone: 1,
  rows: 0,
  bytes: 0,
  diskBytes,
  diskBytesDone,
  beganAt: new Date(0),
  endedAt: null,
});

test("tables under way come first, with what is on its way; then the largest that wait; done ones not at all", () => {
  const states = [state("huge", 1000, 0), state("big", 500, 100), state("done", 400, 400, true), state("small", 5, 0)];
  expect(chooseShown(states, new Map([["public.big", 150]]))).toEqual([
    { table: "public.big", done: 250, expected: 500, state: "copies" },
    { table: "public.huge", done: 0, expected: 1000, state: "waits" },
    { table: "public.small", done: 0, expected: 5, state: "waits" },
  ]);
});

test("never more than the table has, never more tables than the picture has room for", () => {
  const many = Array.from({ length: 20 }, (_, index) => state(`t${index}`, 10, 0));
  expect(chooseShown(many, new Map())).toHaveLength(6);
  expect(chooseShown([state("t", 10, 8)], new Map([["public.t", 9]]))[0]).toMatchObject({ done: 10 });
});
