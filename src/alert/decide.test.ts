import { expect, test } from "vitest";
import type { Alert } from "../control/alert.ts";
import { decide } from "./decide.ts";

const alert = (more: Partial<Alert>): Alert => ({
  id: 1,
  problem: "p",
  kind: "failed",
  grade: "warning",
  sync: "s",
  target: "B",
  db: null,
  what: "it failed",
  advice: "",
  began: new Date(0),
  forSeconds: 100,
  over: null,
  overForSeconds: null,
  closed: null,
  told: {},
  ...more,
});
const patience = { after: () => 60_000, settle: 30_000 };
const gone = { over: new Date(0), overForSeconds: 40 };

test("told once, when it has lasted; each channel by itself", () => {
  expect(decide([alert({ forSeconds: 59 })], ["mail"], patience)).toEqual({ tell: [], close: [] });
  expect(decide([alert({})], ["mail", "webhook"], patience).tell).toMatchObject([
    { channel: "mail", raised: [{ id: 1 }], over: [] },
    { channel: "webhook", raised: [{ id: 1 }], over: [] },
  ]);
  expect(decide([alert({ told: { mail: "raised" } })], ["mail", "webhook"], patience).tell).toMatchObject([{ channel: "webhook" }]);
});

test("over is told to whoever heard of it, once it has stayed away; then the alert is closed", () => {
  expect(decide([alert({ ...gone, overForSeconds: 29, told: { mail: "raised" } })], ["mail"], patience)).toEqual({ tell: [], close: [] });
  const told = decide([alert({ ...gone, told: { mail: "raised" } })], ["mail", "webhook"], patience);
  expect(told).toMatchObject({ tell: [{ channel: "mail", raised: [], over: [{ id: 1 }] }], close: [] });
  expect(decide([alert({ ...gone, told: { mail: "over" } })], ["mail"], patience)).toEqual({ tell: [], close: [1] });
});

test("one that came and went within its patience is told of to nobody", () => {
  expect(decide([alert({ ...gone, forSeconds: 50 })], ["mail"], patience)).toEqual({ tell: [], close: [1] });
});

test("one that returns before it was closed is told again only where it was said to be over", () => {
  const back = alert({ told: { mail: "over", webhook: "raised" } });
  expect(decide([back], ["mail", "webhook"], patience).tell).toMatchObject([{ channel: "mail", raised: [{ id: 1 }] }]);
});

test("many at once are one message", () => {
  const many = [1, 2, 3].map((id) => alert({ id }));
  expect(decide([...many, alert({ id: 4, ...gone, told: { mail: "raised" } })], ["mail"], patience).tell).toMatchObject([
    { raised: [{ id: 1 }, { id: 2 }, { id: 3 }], over: [{ id: 4 }] },
  ]);
});
