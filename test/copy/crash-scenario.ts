import { join } from "node:path";
import { expect, test } from "vitest";
import { exec, type Finished } from "../harness/exec.ts";
import { root } from "../harness/root.ts";
import { ensureBuilt } from "../harness/shared-server.ts";
import { openCopyRig, type CopyRig } from "./rig.ts";
import { fillWandering, Wanderer, wanderingSchema } from "./wanderer.ts";

const ROWS = 3000;

/** A process that copies while somebody writes is killed at each of these places. */
export function crashTests(orders: readonly string[]): void {
  test.for(orders)("killed at %s under writers: the next call goes on, and one run makes the sides equal", async (order) => {
    await using rig = await openCopyRig({
      schema: wanderingSchema,
      targetSchema: `${wanderingSchema}; create unique index on wandering (code)`,
      tables: ["moving", "wandering"],
    });
    await fillWandering(rig.source, ROWS);
    await using writer = new Wanderer(rig.source, ROWS, order.length);
    expect(await copyInProcess(rig, order)).toMatchObject({ signal: "SIGKILL", stderr: "" });
    await writer.more(20);
    const result = await rig.copy({ pieceBytes: 32 * 1024 });
    expect(result.rows).toBeGreaterThan(ROWS);
    await writer.more(20);
    await writer.stop();
    await rig.rig.run();
    expect(await rig.differences()).toEqual([]);
  });
}

async function copyInProcess(rig: CopyRig, point: string): Promise<Finished> {
  await ensureBuilt();
  const { sync, target, tables, jobs, maxRate } = rig.options();
  const place = ({ connection: { host, port, user, database } }: CopyRig["source"]) => ({ host, port, user, dbname: database });
  const options = { sync, target, tables, jobs, maxRate, pieceBytes: 32 * 1024, dist: join(root, "dist") };
  return exec(process.execPath, [join(root, "test", "copy", "once.mjs")], {
    env: {
      ...process.env,
      BUCARDO_POINT: point,
      COPY_OPTIONS: JSON.stringify({ ...options, from: place(rig.source), to: place(rig.target) }),
    },
  });
}
