import { expect, test } from "vitest";
import { daemonIsAlive, readDaemon, takeDaemonLock } from "../../src/control/daemon.ts";
import type { Session } from "../../src/postgres/session.ts";
import { createDatabase } from "../harness/database.ts";
import { faultProxy } from "../harness/fault-proxy.ts";
import { startServer } from "../harness/server.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";
import { openDaemonRig, sessionOf } from "../daemon/rig.ts";

test("a target that is down delays no other target, says why it waits, and heals by itself", async () => {
  const server = await sharedServer(15);
  await using toB = await faultProxy({ targetPort: server.port });
  await using rig = await openDaemonRig({ targets: ["B", "C"], through: { B: toB } });
  toB.refuse();
  await rig.start();
  await rig.source.query("insert into account values (1, 1)");
  await rig.untilEqual("C");
  const waiting = await waitFor(async () => ((await rig.state("B"))?.state === "Waiting" ? rig.state("B") : null), { what: "B to wait" });
  expect(waiting?.detail).toContain("B");
  const kick = await rig.kick();
  toB.resume();
  expect((await rig.settled(kick)).map((one) => one.outcome)).not.toContain("bad");
  expect(await rig.differences("B")).toEqual([]);
  expect((await rig.state("B"))?.detail).toBeNull();
});

test("connections that break in the middle of anything are opened again", async () => {
  const server = await sharedServer(15);
  await using toA = await faultProxy({ targetPort: server.port });
  await using toB = await faultProxy({ targetPort: server.port });
  await using rig = await openDaemonRig({ through: { A: toA, B: toB } });
  await rig.start();
  for (let round = 1; round <= 6; round++) {
    await rig.source.query("insert into account select $1 * 1000 + i, 1 from generate_series(1, 500) i", [round]);
    if (round % 2 === 0) toB.cutAfter("toServer", 3000);
    else toA.cutAfter("toClient", 3000);
    await rig.untilEqual();
  }
});

test("a lost control database: nothing starts, the lease is taken again, kicks of the meantime are done", async () => {
  const server = await sharedServer(15);
  await using toControl = await faultProxy({ targetPort: server.port });
  await using rig = await openDaemonRig({ sync: { autokick: false }, through: { control: toControl } });
  await rig.start();
  await waitFor(async () => (await rig.runs()).at(-1)?.outcome, { what: "the first run" });
  toControl.refuse();
  toControl.cut();
  const control = await rig.control();
  await waitFor(async () => !(await daemonIsAlive(control)), { what: "the lease to be free" });
  await rig.source.query("insert into account values (1, 1)");
  const kick = await rig.kick();
  const before = (await rig.runs()).length;
  toControl.resume();
  await rig.settled(kick);
  expect(await rig.differences()).toEqual([]);
  expect((await rig.runs()).length).toBe(before + 1);
  expect(await daemonIsAlive(control)).toBe(true);
  expect(rig.log.lines.join("\n")).toContain("control database is lost");
});

test(
  "a control connection that does not answer is given up, and the lease taken again when the network is back",
  { timeout: 180_000 },
  async () => {
    const server = await sharedServer(15);
    await using toControl = await faultProxy({ targetPort: server.port });
    await using rig = await openDaemonRig({ sync: { autokick: false }, through: { control: toControl } });
    await rig.start();
    toControl.stall();
    await waitFor(() => rig.log.lines.some((line) => line.includes("control database is lost")), {
      what: "the loss to be seen",
      timeoutMs: 60_000,
    });
    toControl.resume();
    await rig.settled(await rig.kick());
  },
);

test("where the server still keeps the daemon's old connection, that one is ended and the lease taken from it", async () => {
  const server = await sharedServer(15);
  await using toControl = await faultProxy({ targetPort: server.port });
  await using rig = await openDaemonRig({ sync: { autokick: false }, through: { control: toControl } });
  // A session of the test stands for the old connection, which a network that lost packets would leave behind on the server.
  const old = await sessionOf("control", rig.database("control").connection);
  await rig.start({
    connectControl: async () =>
      disguised(await sessionOf("control", { ...rig.database("control").connection, port: toControl.port }), old.backendPid),
  });
  toControl.refuse();
  toControl.cut();
  await waitFor(() => takeDaemonLock(old), { what: "the lock to be free" });
  toControl.resume();
  await rig.settled(await rig.kick());
  expect(old.lost.aborted).toBe(true);
});

function disguised(session: Session, backendPid: number): Session {
  return new Proxy(session, {
    get(of, name) {
      if (name === "backendPid") return backendPid;
      const value = Reflect.get(of, name, of) as unknown;
      return typeof value === "function" ? (value.bind(of) as unknown) : value;
    },
  });
}

test("only one daemon owns a control database, and the second one says who does", async () => {
  await using rig = await openDaemonRig();
  const first = await rig.start();
  await expect(rig.start()).rejects.toMatchObject({ code: "daemon-running", message: expect.stringContaining(`pid ${process.pid}`) });
  await rig.stop(first);
  expect((await readDaemon(await rig.control()))?.stopped).not.toBeNull();
  await rig.stop(await rig.start());
});

test("a daemon that lost the lease to another one ends", async () => {
  const server = await sharedServer(15);
  await using toControl = await faultProxy({ targetPort: server.port });
  await using rig = await openDaemonRig({ through: { control: toControl } });
  const first = await rig.start();
  toControl.refuse();
  toControl.cut();
  const control = await rig.control();
  await waitFor(async () => !(await daemonIsAlive(control)), { what: "the lease to be free" });
  const second = await rig.start({ connectControl: () => sessionOf("control", rig.database("control").connection) });
  toControl.resume();
  await expect(first.done).rejects.toMatchObject({ code: "daemon-running" });
  await rig.stop(second);
});

test("servers that restart or crash, one after the other, are found again", { timeout: 180_000 }, async () => {
  await using source = await startServer({ major: 16 });
  await using target = await startServer({ major: 13 });
  await using rig = await openDaemonRig({ source, target });
  await rig.start();
  await rig.source.query("insert into account values (1, 1)");
  await rig.untilEqual();
  await target.restart("immediate");
  await rig.source.query("insert into account values (2, 2)");
  await rig.untilEqual("B", 30_000);
  await source.restart("fast");
  await rig.source.query("insert into account values (3, 3)");
  await rig.untilEqual("B", 30_000);
  await source.crash();
  await source.start();
  await rig.source.query("insert into account values (4, 4)");
  await rig.untilEqual("B", 30_000);
});

test("an unreachable control database at the start is said, not waited for", async () => {
  await using rig = await openDaemonRig();
  const gone = await createDatabase(await sharedServer(15));
  const connection = gone.connection;
  await gone[Symbol.asyncDispose]();
  await expect(rig.start({ connectControl: () => sessionOf("control", connection) })).rejects.toMatchObject({ name: "BucardoError" });
});

test("with fewer connections than it would like, the daemon takes turns and every target arrives", { timeout: 180_000 }, async () => {
  const targets = ["B", "C", "D", "E"];
  // One session is the test's own; lease, watcher and keeper share the rest with four pairs.
  await using rig = await openDaemonRig({ targets, overrides: { max_connections: "6" } });
  await rig.start();
  for (let round = 1; round <= 3; round++) {
    await rig.source.query("insert into account values ($1, $1)", [round]);
    const kick = await rig.kick();
    for (const target of targets) await rig.untilEqual(target, 40_000);
    expect((await rig.settled(kick)).map((one) => one.outcome)).not.toContain("bad");
  }
});

test("told to stop while the control database is away, it ends all the same", async () => {
  const server = await sharedServer(15);
  await using toControl = await faultProxy({ targetPort: server.port });
  await using rig = await openDaemonRig({ sync: { autokick: false }, through: { control: toControl } });
  const daemon = await rig.start();
  await waitFor(async () => (await rig.runs()).at(-1)?.outcome, { what: "the first run" });
  const blocker = await rig.target.client();
  await rig.source.query("insert into account values (1, 1)");
  await blocker.query("begin; lock table account in access exclusive mode");
  const kick = await rig.kick();
  await waitFor(async () => (await rig.runs()).at(-1)?.outcome === null, { what: "the run to begin" });
  toControl.refuse();
  toControl.cut();
  daemon.stop("the test says so");
  await blocker.query("commit");
  await daemon.done;
  expect(await rig.differences()).toEqual([]);
  toControl.resume();
  await rig.start();
  expect((await rig.settled(kick)).map((one) => one.outcome)).toEqual(["empty"]);
});
