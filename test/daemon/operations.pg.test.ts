import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import { main } from "../../src/cli/main.ts";
import { line, type Line } from "../cli/line.ts";
import { scratch, type Scratch } from "../harness/scratch.ts";
import { waitFor } from "../harness/wait.ts";
import { openDaemonRig, type DaemonRig, type DaemonRigOptions } from "./rig.ts";

type Desk = AsyncDisposable & { readonly home: string; readonly rig: DaemonRig; readonly run: (text: string) => Promise<Line> };

/** A rig with a command line beside it. */
async function openDesk(options: DaemonRigOptions = {}): Promise<Desk> {
  const rig = await openDaemonRig(options);
  const home: Scratch = await scratch();
  const { host, port, user, database } = rig.database("control").connection;
  await writeFile(
    join(home.path, ".bucardorc"),
    `dbhost=${host}\ndbport=${port}\ndbname=${database}\ndbuser=${user}\npiddir=${home.path}\n`,
  );
  return {
    rig,
    home: home.path,
    run: (text) => line(text.split(" "), { home: home.path }),
    async [Symbol.asyncDispose]() {
      await rig[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}

async function firstRun(rig: DaemonRig): Promise<void> {
  await waitFor(async () => (await rig.runs()).at(-1)?.outcome, { what: "the first run" });
}

// proves: 6.1/kick, 6.1/activate, 6.1/pause, 6.1/synonyms, 6.4/messages
test("kick without a number asks and returns; inactive and paused syncs are refused with exit code 0", async () => {
  await using desk = await openDesk({ sync: { autokick: false } });
  const { rig, run } = desk;
  await rig.start();
  await firstRun(rig);
  await rig.source.query("insert into account values (1, 1)");
  expect(await run("kick sync s")).toEqual({ code: 0, out: "Kicked sync s\n", err: "" });
  await rig.untilEqual();
  expect(await run("pause s")).toMatchObject({ code: 0, out: "Syncs paused: s\n" });
  expect(await run("kick s 0")).toEqual({ code: 0, out: 'Cannot kick paused sync "s"\n', err: "" });
  expect(await run("resume all")).toMatchObject({ code: 0, out: "Syncs resumed: s\n" });
  expect(await run("deactivate s 0")).toMatchObject({ code: 0, out: "Deactivating sync s...OK\n" });
  expect(await run("kick *")).toEqual({ code: 0, out: 'Cannot kick inactive sync "s"\n', err: "" });
  expect((await run("status s")).out).toMatch(/Current state +: Inactive/);
  expect(await run("activate s")).toMatchObject({ code: 0, out: "Activating sync s...OK\n" });
  expect(await run("kick nosuch 0")).toMatchObject({ code: 1, err: expect.stringContaining('"nosuch"') });
});

// proves: 6.1/kick-wait
test("kick waits no longer than asked: exit code 1, and the run goes on", async () => {
  await using desk = await openDesk({ sync: { autokick: false } });
  const { rig, run } = desk;
  await rig.start();
  await firstRun(rig);
  await rig.source.query("insert into account values (1, 1)");
  const blocker = await rig.target.client();
  await blocker.query("begin; lock table account in access exclusive mode");
  const late = await run("kick s 1");
  expect(late).toMatchObject({ code: 1, err: "Timed out!\n" });
  expect((await run("status s")).out).toMatch(/Target B: Running/);
  await blocker.query("rollback");
  await rig.untilEqual();
});

// proves: 6.1/kick-wait, 6.1/kick-retry
test("kick of a run that fails: killed with the reason, exit code 2, repeated as often as asked", async () => {
  await using desk = await openDesk({ sync: { autokick: false } });
  const { rig, run } = desk;
  await rig.target.query("alter table account add constraint positive check (balance >= 0)");
  await rig.start();
  await firstRun(rig);
  await rig.source.query("insert into account values (1, -1)");
  const killed = await run("kick s 0 --retry=1 --notimer");
  expect(killed.code).toBe(2);
  expect(killed.out.match(/Kick s: \[\d+\.\d{3} s\] KILLED!/g)).toHaveLength(2);
  expect(killed.out).toMatch(/Error: .*account/);
  const status = await run("status");
  expect(status.out).toMatch(/s +\| Stopped/);
  expect((await run("status s 0")).out).toMatch(/Last error +: [^]*Target B: Stopped/);
  expect(JSON.parse((await run("kick s 0 --json")).out)).toMatchObject({ syncs: [{ sync: "s", outcome: "killed" }] });
});

// proves: 6.1/kick-wait
test("a kick whose daemon dies says so, exit code 3", async () => {
  await using desk = await openDesk({ sync: { autokick: false } });
  const { rig, run } = desk;
  const daemon = await rig.start();
  await firstRun(rig);
  const blocker = await rig.target.client();
  await rig.source.query("insert into account values (1, 1)");
  await blocker.query("begin; lock table account in access exclusive mode");
  const kick = run("kick s 0");
  await waitFor(async () => (await rig.runs()).length > 1, { what: "the run to begin" });
  daemon.abort("the test says so");
  await daemon.done;
  expect(await kick).toMatchObject({ code: 3, err: expect.stringContaining("daemon ended") });
});

// proves: 6.1/delta, 6.1/purge
test("delta counts what is owed, purge drops what is not", async () => {
  await using desk = await openDesk({ targets: ["B", "C"], sync: { autokick: false } });
  const { rig, run } = desk;
  await rig.source.query("insert into account select i, 1 from generate_series(1, 7) i");
  expect(await run("delta")).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^Total deltas across all targets: 14\nTotal deltas for database A: 14 \(at most .* old\)\n$/),
  });
  expect((await run("delta total")).out).toBe("Total deltas across all targets: 14\n");
  expect((await run("delta A -v")).out).toMatch(/ s to C: public\.account 7/);
  expect(await run("delta Z")).toMatchObject({ code: 1, err: expect.stringContaining("Z") });
  const held = JSON.parse((await run("purge --json")).out) as { purged: { held: number }[] };
  expect(held.purged[0]?.held).toBeGreaterThan(0);
  await rig.start();
  await rig.untilEqual("C");
  await rig.untilEqual("B");
  await rig.settled(await rig.kick());
  expect((await run("delta total")).out).toBe("Total deltas across all targets: 0\n");
  expect((await run("purge s")).out).toMatch(/^A \(s\): Delta tables purged: \d+ \(\d+ kB\)\n$/);
});

// proves: 6.1/reload, 6.1/ping
test("reload waits for the daemon and tries a stopped sync again", async () => {
  await using desk = await openDesk({ sync: { autokick: false } });
  const { rig, run } = desk;
  expect(await run("reload")).toMatchObject({ code: 1, err: expect.stringContaining("No daemon is running") });
  await rig.target.query("alter table account add constraint positive check (balance >= 0)");
  await rig.source.query("insert into account values (1, -1)");
  await rig.start();
  await waitFor(async () => (await rig.state())?.state === "Stopped", { what: "B to stop" });
  await rig.target.query("alter table account drop constraint positive");
  expect(await run("reload sync s")).toMatchObject({ code: 0, out: "Reload of sync s successful\n" });
  await rig.untilEqual();
  expect(await run("reload config 5")).toMatchObject({ code: 0, out: "Reloading configuration...DONE!\n" });
  expect(await run("ping")).toMatchObject({ code: 0, out: `OK: Got response from PID ${process.pid}\n` });
});

test("on a terminal, a kick shows what it waits for, and what is done of how much", async () => {
  await using desk = await openDesk({ sync: { autokick: false } });
  const { rig } = desk;
  await rig.start();
  await firstRun(rig);
  await rig.source.query("insert into account select i, 1 from generate_series(1, 300) i");
  const blocker = await rig.target.client();
  await blocker.query("begin; lock table account in access exclusive mode");
  let shown = "";
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 120 });
  stdout.setEncoding("utf8").on("data", (text: string) => (shown += text));
  const code = main({
    program: "bucardo",
    argv: ["kick", "s", "0"],
    stdin: Readable.from([]),
    stdout,
    stderr: new PassThrough(),
    cwd: desk.home,
    env: { HOME: desk.home },
    signal: new AbortController().signal,
  });
  await waitFor(() => /\rKick s: \[\d+\.\d{3} s\] B: \w+/.test(shown), { what: `progress on the terminal: ${shown}` });
  await blocker.query("commit");
  expect(await code).toBe(0);
  expect(shown).toMatch(/\rKick s: \[\d+\.\d{3} s\] DONE!\n$/);
});

test("host_safety_check keeps a daemon off other hosts", async () => {
  await using rig = await openDaemonRig();
  await expect(rig.start({ overrides: { host_safety_check: "another.host" } })).rejects.toMatchObject({ code: "daemon-failed", exit: 2 });
  expect(await rig.runs()).toEqual([]);
});
