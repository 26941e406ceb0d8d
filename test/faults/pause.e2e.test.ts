import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import type { Point } from "../../src/base/point.ts";
import { scratch } from "../harness/scratch.ts";
import { runProgram, spawnProgram, type Running } from "../harness/program.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";
import { writers, type Writers } from "../harness/writers.ts";
import { PATIENCE_MS } from "./fault-rig.ts";
import { leaks, nothing } from "./leaks.ts";
import { pointsOfRun } from "./passing.ts";
import { everything } from "./schedule.ts";
import { equal, openSite, type Site } from "./site.ts";
import { isHalted } from "./soak-site.ts";

/** What happens while the daemon stands still, by turns. Gives what must be ended. */
const meanwhile: readonly ((site: Site, daemon: Running, load: Writers) => Promise<void>)[] = [
  // It just goes on.
  async (_site, _daemon, load) => load.more(20, PATIENCE_MS),
  // Its servers have thrown it out.
  async (site, _daemon, load) => {
    for (const database of [site.source, site.target, site.control]) await database.query(throwOut);
    await load.more(20, PATIENCE_MS);
  },
];

const throwOut =
  "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'bucardo%'";

test(
  "halted at every named point of a run, in turn, under load, and let go: readers see no half, both sides end equal",
  { timeout: 600_000 },
  async () => {
    await using site = await openSite({ source: await sharedServer(14), target: await sharedServer(16) });
    await using audit = site.audit();
    await using load = writers(site.source, { clients: 2, kind: "transfers", pauseMs: 5 });
    // One process passes them all: it halts itself at the first pass of each point.
    const orders = pointsOfRun.map((point) => `${point}=stop:1`).join(";");
    await using daemon = await spawnProgram(["daemon", "run"], { cwd: site.home.path, env: { BUCARDO_POINT: orders } });
    for (let halts = 0; halts < pointsOfRun.length; halts++) {
      await waitFor(() => isHalted(daemon.pid), { what: `halt ${halts + 1} of ${pointsOfRun.length}`, timeoutMs: PATIENCE_MS });
      await meanwhile[halts % meanwhile.length]!(site, daemon, load);
      // It goes on with this very call; by the time we look it may have come to the next point.
      daemon.kill("SIGCONT");
    }
    await load.more(20, PATIENCE_MS);
    await load.stop();
    await endsWell(site, daemon);
    audit.check();
  },
);

/** Within what the target's lock guards, before and after each thing that a run makes durable. */
const takenOver: readonly Point[] = [
  "replicate.intent-committed",
  "replicate.locked",
  "replicate.table-applied",
  "replicate.target-committed",
];

test.for(everything ? takenOver : takenOver.slice(0, 1))(
  "halted at %s, another daemon takes over; let go, the first one writes nothing any more and ends",
  { timeout: 300_000 },
  async (point) => {
    await using site = await openSite({ source: await sharedServer(14), target: await sharedServer(16) });
    await using audit = site.audit();
    await using load = writers(site.source, { clients: 2, kind: "transfers", pauseMs: 5 });
    await load.more(20, PATIENCE_MS);
    await using first = await spawnProgram(["daemon", "run"], { cwd: site.home.path, env: { BUCARDO_POINT: `${point}=stop:1` } });
    await waitFor(() => isHalted(first.pid), { what: "the first daemon to halt", timeoutMs: PATIENCE_MS });
    // Its machine is thought dead; the control database has noticed, the target has not, and keeps the lock of its run.
    await site.control.query(throwOut);
    await using elsewhere = await scratch();
    await using second = await spawnProgram(["daemon", "run", `--piddir=${elsewhere.path}`], { cwd: site.home.path });
    const owner = async (): Promise<boolean> =>
      (await site.control.query("select from bucardo.daemon where pid = $1 and ready_at is not null", [second.pid])).length === 1;
    await waitFor(owner, { what: "the second daemon to own the control database", timeoutMs: PATIENCE_MS });
    await load.more(20, PATIENCE_MS);
    first.kill("SIGCONT");
    expect(await first.ended(PATIENCE_MS)).toMatchObject({ code: 1, signal: null });
    await load.more(20, PATIENCE_MS);
    await load.stop();
    await endsWell(site, second);
    audit.check();
  },
);

/** What is left arrives, and told to end the daemon leaves nothing. */
async function endsWell(site: Site, daemon: Running): Promise<void> {
  const kicked = await runProgram(["kick", "s", "60"], { cwd: site.home.path, timeoutMs: 2 * PATIENCE_MS });
  expect(kicked, `${kicked.stdout}${kicked.stderr}${daemon.stderr.slice(-3000)}`).toMatchObject({ code: 0 });
  expect(await equal(site)).toEqual([]);
  daemon.kill("SIGTERM");
  expect(await daemon.ended(PATIENCE_MS)).toMatchObject({ code: 0 });
  for (const [name, database] of Object.entries({ control: site.control, source: site.source, target: site.target })) {
    const clean = async (): Promise<boolean> => (await leaks(database, name, nothing)).length === 0;
    await waitFor(clean, { what: `nothing to be left on the ${name}`, timeoutMs: PATIENCE_MS });
  }
  expect((await readdir(site.home.path)).filter((name) => /pid|tmp|stop/.test(name))).toEqual([]);
}
