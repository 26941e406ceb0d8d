import { expect, test } from "vitest";
import { Admission } from "./admission.ts";

const limits = [{ of: "target B", most: 1 }];

test("as many as the limit says, and who waits longest goes first", () => {
  const admission = new Admission();
  const [one, two, three] = [{}, {}, {}];
  const woken: string[] = [];
  const leave = admission.enter(one, limits, () => undefined);
  expect(leave).not.toBeNull();
  expect(admission.enter(two, limits, () => woken.push("two"))).toBeNull();
  expect(admission.enter(three, limits, () => woken.push("three"))).toBeNull();
  leave?.();
  expect(woken).toEqual(["two", "three"]);
  expect(admission.enter(one, limits, () => undefined)).toBeNull();
  expect(admission.enter(three, limits, () => undefined)).toBeNull();
  const second = admission.enter(two, limits, () => undefined);
  expect(second).not.toBeNull();
  admission.forget(three);
  second?.();
  expect(admission.enter(one, limits, () => undefined)).not.toBeNull();
});

test("one that waits for something else keeps nobody back; without limits nobody waits", () => {
  const admission = new Admission();
  const both = [...limits, { of: "source A", most: 1 }];
  admission.enter({}, [{ of: "source A", most: 1 }], () => undefined);
  expect(admission.enter({}, both, () => undefined)).toBeNull();
  expect(admission.enter({}, limits, () => undefined)).not.toBeNull();
  expect(admission.enter({}, [], () => undefined)).not.toBeNull();
});
