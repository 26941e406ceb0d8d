import { expect } from "vitest";
import { onPoint, type Point } from "../../src/base/point.ts";
import { openCopyRig, type CopyRig } from "./rig.ts";

/** Enough rows for about ten pieces. */
export const ROWS = 5000;
export const schema = "create table t (id bigint primary key, code text, v int)";

export async function filledRig(targetSchema = schema): Promise<CopyRig> {
  const rig = await openCopyRig({ schema, targetSchema, tables: ["t"] });
  await rig.source.query(`insert into t select g, 'code ' || g, 0 from generate_series(1, ${ROWS}) g; analyze t`);
  return rig;
}

/** Does something at the `pass`th time that the copy comes along a place. */
export function at(place: Point, pass: number, work: () => Promise<unknown>): Disposable {
  let passes = 0;
  return onPoint(async (point) => {
    if (point === place && ++passes === pass) await work();
  });
}

export async function equalAfterOneRun(rig: CopyRig): Promise<void> {
  await rig.rig.run();
  expect(await rig.differences()).toEqual([]);
}

export const piecewise = { jobs: 1, pieceBytes: 32 * 1024 };
