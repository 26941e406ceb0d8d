import { expect } from "vitest";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { kickState, requestKick } from "../../src/control/kick.ts";
import { readSyncs } from "../../src/control/sync.ts";
import { sql } from "../../src/postgres/sql.ts";
import { sessionOf } from "../daemon/rig.ts";
import { equalTables } from "../harness/equal-tables.ts";
import type { Running } from "../harness/program.ts";
import { waitFor } from "../harness/wait.ts";
import { seededRandom, writers } from "../harness/writers.ts";
import { PATIENCE_MS } from "./fault-rig.ts";
import { leaks, nothing } from "./leaks.ts";
import { pointsOfRun } from "./passing.ts";
import { choosePlace, soakFaults, type SoakScene } from "./soak-fault.ts";
import { openFiles, openSoakSite, places, syncs, type SoakSite } from "./soak-site.ts";

/** How many faults lie between two looks at everything. */
const ROUND = 5;

/** Applications write while one thing after the other goes wrong, for so many seconds; every few faults all must be what the model says. */
export async function soak({ seconds, seed }: { readonly seconds: number; readonly seed: number }): Promise<void> {
  await using site = await openSoakSite(seed);
  const random = seededRandom(seed);
  const story: string[] = [];
  let daemon = await startDaemon(site);
  try {
    const end = performance.now() + seconds * 1000;
    do {
      await round(site, { random, story, daemon: () => daemon, setDaemon: (next) => (daemon = next) });
      await verify(site, daemon);
    } while (performance.now() < end);
    await finish(site, daemon);
  } catch (error) {
    const log = daemon.stderr + (await readFile(join(site.home.path, "log.bucardo"), "utf8").catch(() => "")).slice(-5000);
    throw new Error(`seed ${seed}: ${String(error)}\n\nWhat happened:\n${story.join("\n")}\n${log}`, { cause: error });
  } finally {
    await daemon[Symbol.asyncDispose]();
  }
}

/** A start that finds no control database says so and ends, so nothing goes wrong before it is up. */
async function startDaemon(site: SoakSite): Promise<Running> {
  const daemon = await site.spawn();
  const up = "select from bucardo.daemon where pid = $1 and ready_at is not null";
  await waitFor(async () => (await site.databases.control.query(up, [daemon.pid])).length === 1, {
    what: `the daemon to be up; it said: ${daemon.stderr}`,
    timeoutMs: PATIENCE_MS,
  });
  return daemon;
}

type Cast = {
  readonly random: (below: number) => number;
  readonly story: string[];
  readonly daemon: () => Running;
  readonly setDaemon: (next: Running) => void;
};

async function round(site: SoakSite, { random, story, daemon, setDaemon }: Cast): Promise<void> {
  await using load = writers(site.databases.A, { clients: 2, kind: "transfers", seed: random(1000), tolerant: true, pauseMs: 5 });
  const ending = new AbortController();
  const modelling = Object.values(site.models).map(async (model) => {
    while (!ending.signal.aborted) if (!(await model.write())) await new Promise((resolve) => setTimeout(resolve, 20));
  });
  const replaceDaemon = async (point: string | null): Promise<void> => {
    daemon().kill("SIGKILL");
    await daemon().ended();
    if (point !== null) {
      setDaemon(await site.spawn({ BUCARDO_POINT: point }));
      // Writers give it something to do, so it gets there.
      await daemon().ended();
    }
    setDaemon(await startDaemon(site));
  };
  const scene: SoakScene = { site, load, random, daemon, replaceDaemon, points: pointsOfRun };
  try {
    for (let count = 0; count < ROUND; count++) {
      const names = Object.keys(soakFaults);
      const [name, place] = [names[random(names.length)]!, choosePlace(random)];
      story.push(`${place}: ${name}`);
      await soakFaults[name]!(scene, place);
      await load.more(random(30), PATIENCE_MS);
    }
  } finally {
    ending.abort();
    await Promise.all(modelling);
    await load.stop();
  }
}

/** Everything that was written arrives, and is what the models say. */
async function verify(site: SoakSite, daemon: Running): Promise<void> {
  const direct = site.databases.control.connection;
  await using control = await sessionOf("control", direct);
  for (const sync of await readSyncs(control)) {
    const kick = await requestKick(control, sync.id);
    const settled = await waitFor(
      async () => {
        const state = await kickState(control, kick);
        return state.every((one) => one.outcome !== null) ? state : null;
      },
      { what: `a kick of ${sync.name} to settle`, timeoutMs: 2 * PATIENCE_MS },
    );
    const ids = settled.flatMap((one) => (one.outcome === "bad" ? [one.run] : []));
    const text = "select target, error_code, error_message from bucardo.run where id = any ($1::bigint[])";
    expect(await control.query(sql("test.bad-runs", text, [ids])), "what heals by itself settles no kick as bad").toEqual([]);
    expect(settled).toHaveLength(syncs[sync.name as keyof typeof syncs].length);
  }
  const { A, B, C } = site.databases;
  const { bank, shop } = site.models;
  const wrong = [
    ...(await bank.differences(A, "A")),
    ...(await shop.differences(A, "A")),
    ...(await bank.differences(B, "B")),
    ...(await shop.differences(B, "B")),
    ...(await bank.differences(C, "C")),
    ...(await equalTables(A, B, ["transfers_account"])),
    ...(await equalTables(A, C, ["transfers_account"])),
  ];
  expect(wrong).toEqual([]);
  for (const audit of site.audits) audit.check();
  expect(openFiles(daemon.pid)).toBeLessThan(60);
}

/** Told to end, the program leaves nothing: no session, no lock, no file but its log. */
async function finish(site: SoakSite, daemon: Running): Promise<void> {
  daemon.kill("SIGTERM");
  expect(await daemon.ended(PATIENCE_MS)).toMatchObject({ code: 0 });
  for (const place of places) {
    const left = async (): Promise<boolean> => (await leaks(site.databases[place], place, nothing)).length === 0;
    await waitFor(left, { what: `nothing to be left on ${place}`, timeoutMs: PATIENCE_MS });
    await waitFor(() => site.network[place].connections === 0, { what: `no socket to ${place}`, timeoutMs: PATIENCE_MS });
  }
  expect((await readdir(site.home.path)).filter((name) => /pid|tmp|stop/.test(name))).toEqual([]);
}
