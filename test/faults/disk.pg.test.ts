import { afterAll, beforeAll, expect, test } from "vitest";
import { type SmallDiskServer, startOnSmallDisk } from "../harness/small-disk.ts";
import { waitFor } from "../harness/wait.ts";
import { openFaultRig, PATIENCE_MS, type Side, sides } from "./fault-rig.ts";

let disk: SmallDiskServer;

beforeAll(async () => {
  disk = await startOnSmallDisk(16);
});

afterAll(() => disk[Symbol.asyncDispose]());

test.for(sides)("the disk of the %s is full for a while", { timeout: 3 * PATIENCE_MS }, async (side: Side) => {
  await using rig = await openFaultRig({ servers: { [side]: disk.server } });
  await disk.take(rig.database(side).name);
  await rig.start();
  await rig.change();
  await rig.healed(await rig.rig.kick());
  await rig.change(disk.rows);
  await disk.fill();
  let kick: number | null = null;
  try {
    kick = await felt[side](rig);
  } finally {
    await disk.free();
  }
  await rig.healed(kick ?? (await rig.rig.kick()));
  await rig.stop();
});

type Rig = Awaited<ReturnType<typeof openFaultRig>>;

/** Waits until the full disk has shown; gives a kick that was asked for meanwhile. */
const felt: Readonly<Record<Side, (rig: Rig) => Promise<number | null>>> = {
  // The application itself cannot write; what it could write before arrives.
  source: async (rig) => {
    await expect(rig.change(disk.rows)).rejects.toMatchObject({ code: "53100" });
    return rig.rig.kick();
  },
  target: async (rig) => {
    const kick = await rig.rig.kick();
    await waitFor(async () => (await rig.rig.runs()).some((run) => run.error_code === "disk-full"), {
      what: "a run to meet the full disk",
      timeoutMs: PATIENCE_MS,
    });
    return kick;
  },
  // What cannot be recorded does not run.
  control: async (rig) => {
    const many = "insert into bucardo.kick (sync) select id from bucardo.sync, generate_series(1, $1)";
    await expect(rig.database("control").query(many, [disk.rows * 5])).rejects.toMatchObject({ code: "53100" });
    return null;
  },
};
