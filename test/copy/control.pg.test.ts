import { expect, test } from "vitest";
import { onPoint } from "../../src/base/point.ts";
import type { CopyProgress } from "../../src/copy/options.ts";
import { BucardoError } from "../../src/model/error.ts";
import { at, filledRig, piecewise, ROWS } from "./piecewise.ts";

test("paused between pieces, for as long as it is told to", async () => {
  await using rig = await filledRig();
  let paused = false;
  let begunWhilePaused = 0;
  const seen: boolean[] = [];
  using _ = onPoint((point) => {
    if (point === "copy.piece-done" && seen.length === 0) paused = true;
    if (point === "copy.piece-claimed" && paused) begunWhilePaused++;
  });
  const onProgress = (progress: CopyProgress) => {
    if (!progress.paused) return;
    seen.push(true);
    if (seen.length === 3) paused = false;
  };
  await rig.copy({ ...piecewise, paused: () => paused, onProgress });
  expect(seen.length).toBeGreaterThanOrEqual(3);
  expect(begunWhilePaused).toBe(0);
  expect(await rig.differences()).toEqual([]);
});

test("not faster than told", async () => {
  await using rig = await filledRig();
  const bytes = (await rig.source.one<{ bytes: number }>("select sum(20 + length(code))::int as bytes from t")).bytes;
  const began = performance.now();
  await rig.copy({ ...piecewise, jobs: 2, maxRate: bytes / 3 });
  // A third goes at once, and the last piece waits for nothing.
  expect(performance.now() - began).toBeGreaterThan(1400);
  expect(await rig.differences()).toEqual([]);
});

test("interrupted, it ends with nothing open on either side, and goes on when called again", async () => {
  await using rig = await filledRig();
  const stop = new AbortController();
  {
    using _ = at("copy.piece-sent", 4, async () => stop.abort(new BucardoError("interrupted", "enough")));
    await expect(rig.copy({ ...piecewise, jobs: 2, signal: stop.signal })).rejects.toThrow("enough");
  }
  for (const side of [rig.source, rig.target]) {
    const open = () =>
      side.one("select count(*)::int as open from pg_stat_activity where datname = current_database() and application_name = 'bucardo'");
    await expect.poll(open).toEqual({ open: 0 });
  }
  const reports: CopyProgress[] = [];
  const result = await rig.copy({ ...piecewise, onProgress: (progress) => reports.push(progress) });
  expect(result.rows).toBe(ROWS);
  expect(result.resumedPieces).toBeGreaterThan(0);
  const last = reports.at(-1)!;
  expect(last).toMatchObject({ tables: 1, tablesDone: 1, rows: ROWS, active: [], secondsLeft: 0 });
  expect(last.diskBytesDone).toBe(last.diskBytes);
  expect(await rig.differences()).toEqual([]);
});

test("with fewer connections than jobs it goes on with what it gets, and waits out what passes", async () => {
  await using rig = await filledRig();
  let opened = 0;
  let troubles = 0;
  const full = () => new BucardoError("too-many-connections", "no more");
  using _ = onPoint((point) => {
    if (point === "copy.piece-claimed" && ++troubles === 3) throw new BucardoError("run-void", "again, please");
    if (point === "copy.piece-claimed" && troubles === 5) throw new BucardoError("lock-timeout", "a moment");
  });
  await rig.copy({
    ...piecewise,
    jobs: 4,
    // The first one plans.
    openTarget: () => (++opened > 3 ? Promise.reject(full()) : rig.options().openTarget()),
  });
  expect(opened).toBeGreaterThan(3);
  expect(await rig.differences()).toEqual([]);
});

test("two processes at one copy share the pieces: no row twice", async () => {
  await using rig = await filledRig("create table t (id bigint not null, code text, v int)");
  await Promise.all([rig.copy(piecewise), rig.copy(piecewise)]);
  expect(await rig.target.one("select count(*)::int as rows, count(distinct id)::int as keys from t")).toEqual({ rows: ROWS, keys: ROWS });
});
