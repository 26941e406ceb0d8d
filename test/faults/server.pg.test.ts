import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Point } from "../../src/base/point.ts";
import { onServer } from "../harness/database.ts";
import { type Server, startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait.ts";
import { type FaultRig, openFaultRig, PATIENCE_MS, type Side, sides } from "./fault-rig.ts";
import { pointsOfRun } from "./passing.ts";
import { everything, seed } from "./schedule.ts";

let servers: Record<Side, Server>;
let rig: FaultRig;

beforeAll(async () => {
  const [source, target, control] = await Promise.all([startServer({ major: 14 }), startServer({ major: 17 }), startServer({ major: 12 })]);
  servers = { source, target, control };
  rig = await openFaultRig({ servers });
  await rig.start();
});

afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  await Promise.all(sides.map((side) => servers[side][Symbol.asyncDispose]()));
});

/** What may happen to a server in the middle of a run. What it gives brings the server back. */
const faults: Readonly<Record<string, (server: Server, side: Side) => Promise<() => Promise<void> | void>>> = {
  "is stopped": async (server) => {
    await server.stop("fast");
    return () => server.start();
  },
  "is stopped at once": async (server) => {
    await server.stop("immediate");
    return () => server.start();
  },
  crashes: async (server) => {
    await server.crash();
    return () => server.start();
  },
  "stands still": async (server, side) => {
    server.freeze();
    const { passed } = rig.network[side];
    const before = passed.toServer;
    return async () => {
      await waitFor(async () => passed.toServer > before || (await rig.idle()), { what: "a question to it", timeoutMs: PATIENCE_MS });
      server.thaw();
    };
  },
  "becomes a standby": async (server) => {
    await server.stop("fast");
    const signal = join(server.dataDir, "standby.signal");
    await writeFile(signal, "");
    await server.start();
    return async () => {
      const noticed = (): boolean => rig.rig.log.lines.some((line) => /standby|read-only|does not answer yet/.test(line));
      await waitFor(async () => noticed() || (await rig.idle()), { what: "the standby to be noticed", timeoutMs: PATIENCE_MS });
      await server.stop("fast");
      await rm(signal);
      await server.start();
    };
  },
};

const cases = Object.keys(faults).flatMap((fault, row) =>
  sides.flatMap((side, column) => {
    const turn = row * sides.length + column + seed;
    const all = pointsOfRun.map((point): [Side, string, Point] => [side, fault, point]);
    return everything ? all : all.slice(turn % all.length, (turn % all.length) + 1);
  }),
);

test.for(cases)(`the server of the %s %s at %s (seed ${seed})`, { timeout: 3 * PATIENCE_MS }, async ([side, fault, point]) => {
  await rig.change();
  rig.rig.log.lines.length = 0;
  let bringBack: () => Promise<void> | void = () => undefined;
  let fallen = false;
  using here = rig.at(point, async () => {
    bringBack = await faults[fault]!(servers[side], side);
    fallen = true;
  });
  const kick = await rig.rig.kick();
  await waitFor(() => here.reached && fallen, { what: `a run to pass ${point}`, timeoutMs: PATIENCE_MS });
  await bringBack();
  await rig.healed(kick);
});

test.for(["source", "target"] as const)("transactions on the %s are read-only by default", { timeout: 2 * PATIENCE_MS }, async (side) => {
  await rig.change();
  const { name } = rig.database(side);
  await onServer(servers[side], (admin) => admin.query(`alter database "${name}" set default_transaction_read_only = on`));
  await servers[side].restart();
  // The setting is a default for whoever does not say otherwise, which we do: what is to be replicated still has to arrive.
  await rig.healed(await rig.rig.kick());
  await onServer(servers[side], (admin) => admin.query(`alter database "${name}" reset default_transaction_read_only`));
  await rig.database(side).closeClients();
});

test("the control database disappears and returns", { timeout: 2 * PATIENCE_MS }, async () => {
  const { name } = rig.database("control");
  await rig.change();
  await onServer(servers.control, async (admin) => {
    await admin.query(`alter database "${name}" with allow_connections false`);
    await waitFor(
      async () => {
        await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name]);
        await admin.query(`alter database "${name}" rename to elsewhere`);
        return true;
      },
      { what: "the database to be free", timeoutMs: PATIENCE_MS },
    );
  });
  await waitFor(() => rig.rig.log.lines.some((line) => line.includes("control database is lost")), {
    what: "the loss to be noticed",
    timeoutMs: PATIENCE_MS,
  });
  await onServer(servers.control, async (admin) => {
    await admin.query(`alter database elsewhere rename to "${name}"`);
    await admin.query(`alter database "${name}" with allow_connections true`);
  });
  await rig.healed(await rig.rig.kick());
});

test("told to stop after all that, the daemon leaves nothing behind", async () => {
  await rig.stop();
  expect(await rig.rig.differences()).toEqual([]);
});
