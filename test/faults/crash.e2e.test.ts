import { expect, test } from "vitest";
import { runProgram, spawnProgram } from "../harness/program.ts";
import { startServer } from "../harness/server.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";
import { writers } from "../harness/writers.ts";
import { pointsOfRun } from "./passing.ts";
import { equal, openSite } from "./site.ts";

test(
  "killed at every named point of a run, in turn, under load: the next start heals, readers see no half, both sides end equal",
  { timeout: 300_000 },
  async () => {
    await using site = await openSite({ source: await sharedServer(12), target: await sharedServer(18) });
    await using audit = site.audit();
    await using load = writers(site.source, { clients: 2, kind: "transfers", pauseMs: 5 });
    for (const [index, point] of pointsOfRun.entries()) {
      // Runs that only a change asked for pass the daemon's points unrecorded, so those are sure to be passed once.
      const order = `${point}=kill${index % 2 === 0 && point.startsWith("replicate.") ? ":2" : ""}`;
      await using daemon = await spawnProgram(["daemon", "run"], { cwd: site.home.path, env: { BUCARDO_POINT: order } });
      expect(await daemon.ended(), `${order}: ${daemon.stderr.slice(-2000)}`).toMatchObject({ signal: "SIGKILL" });
      await load.more(5);
    }
    await using daemon = await spawnProgram(["daemon", "run"], { cwd: site.home.path });
    await load.more(20);
    await load.stop();
    const kicked = await runProgram(["kick", "s", "60"], { cwd: site.home.path });
    expect(kicked, `${kicked.stdout}${kicked.stderr}${daemon.stderr}`).toMatchObject({ code: 0 });
    expect(await equal(site)).toEqual([]);
    expect(audit.seen).toBeGreaterThan(pointsOfRun.length);
    audit.check();
  },
);

test("killed at random times", { timeout: 300_000 }, async () => {
  await using site = await openSite({ source: await sharedServer(15), target: await sharedServer(15) });
  await using audit = site.audit();
  await using load = writers(site.source, { clients: 3, kind: "transfers" });
  for (let round = 0; round < 8; round++) {
    await using daemon = await spawnProgram(["daemon", "run"], { cwd: site.home.path });
    const before = load.commits;
    // The load's own progress is the clock: how far a run is by then nobody knows.
    await waitFor(() => load.commits > before + 40 * (round + 1), { what: "some load", timeoutMs: 60_000 });
    daemon.kill("SIGKILL");
    await daemon.ended();
  }
  await using daemon = await spawnProgram(["daemon", "run"], { cwd: site.home.path });
  await load.stop();
  expect(await runProgram(["kick", "s", "60"], { cwd: site.home.path }), daemon.stderr).toMatchObject({ code: 0 });
  expect(await equal(site)).toEqual([]);
  audit.check();
});

test("a server's process is killed, on the source and on the target, while the daemon runs on", { timeout: 300_000 }, async () => {
  await using source = await startServer({ major: 13, durable: true });
  await using target = await startServer({ major: 16, durable: true });
  await using site = await openSite({ source, target });
  await using daemon = await spawnProgram(["daemon", "run"], { cwd: site.home.path });
  await using audit = site.audit();
  await using load = writers(site.source, { clients: 2, kind: "transfers", tolerant: true });
  for (const [database, server] of [
    [site.source, source],
    [site.target, target],
    [site.source, source],
    [site.target, target],
  ] as const) {
    await load.more(30, 60_000);
    const victim = await waitFor(
      async () =>
        (
          await database.query<{ pid: number }>(
            "select pid from pg_stat_activity where application_name like 'bucardo%' and datname = current_database() limit 1",
          )
        )[0],
      { what: "a session of the daemon" },
    );
    server.killBackend(victim.pid);
    // Answering alone says nothing: the server may not have noticed yet.
    const gone = async (): Promise<boolean> =>
      (await database.query("select from pg_stat_activity where pid = $1", [victim.pid])).length === 0;
    await waitFor(gone, { what: "the server to recover", timeoutMs: 60_000 });
  }
  await load.stop();
  const kicked = await runProgram(["kick", "s", "60"], { cwd: site.home.path });
  expect(kicked, `${kicked.stderr}${daemon.stderr.slice(-3000)}`).toMatchObject({ code: 0 });
  expect(await equal(site)).toEqual([]);
  audit.check();
});
