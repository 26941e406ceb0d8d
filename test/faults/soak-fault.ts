import { waitFor } from "../harness/wait.ts";
import type { Writers } from "../harness/writers.ts";
import { PATIENCE_MS } from "./fault-rig.ts";
import { places, type Place, type SoakSite } from "./soak-site.ts";

export type SoakScene = {
  readonly site: SoakSite;
  readonly load: Writers;
  readonly random: (below: number) => number;
  /** The living daemon. */
  readonly daemon: () => { readonly pid: number };
  /** Kills it and starts another, which is killed at a named point if one is given. */
  readonly replaceDaemon: (point: string | null) => Promise<void>;
  readonly points: readonly string[];
};

/** Something that goes wrong for a while; over when it settles. */
type SoakFault = (scene: SoakScene, place: Place) => Promise<void>;

export const soakFaults: Readonly<Record<string, SoakFault>> = {
  "connections are cut": async ({ site }, place) => site.network[place].cut(),
  "a connection breaks in its stream": async ({ site, load, random }, place) => {
    site.network[place].cutAfter(random(2) === 0 ? "toServer" : "toClient", 1 + random(200_000));
    await load.more(20, PATIENCE_MS);
    site.network[place].resume();
  },
  "connections are half-closed": async ({ site, random }, place) =>
    site.network[place].halfClose(random(2) === 0 ? "toServer" : "toClient"),
  "connections stall": async ({ site, load }, place) => {
    site.network[place].stall();
    await load.more(20, PATIENCE_MS);
    site.network[place].resume();
  },
  "the line is slow": async ({ site, load }, place) => {
    site.network[place].slow(50_000);
    await load.more(20, PATIENCE_MS);
    site.network[place].resume();
  },
  "nobody gets in": async ({ site, load }, place) => {
    site.network[place].refuse();
    site.network[place].cut();
    await load.more(20, PATIENCE_MS);
    site.network[place].resume();
  },
  "the server restarts": ({ site }, place) => site.servers[place].restart("fast"),
  "the server restarts at once": ({ site }, place) => site.servers[place].restart("immediate"),
  "the server crashes": async ({ site }, place) => {
    await site.servers[place].crash();
    await site.servers[place].start();
  },
  "the server stands still": async ({ site, load }, place) => {
    site.servers[place].freeze();
    if (place !== "A") await load.more(20, PATIENCE_MS);
    site.servers[place].thaw();
  },
  "sessions are terminated": (scene, place) => signal(scene, place, "pg_terminate_backend"),
  "statements are cancelled": (scene, place) => signal(scene, place, "pg_cancel_backend"),
  "somebody locks a table": async ({ site, load, random }, place) => {
    const tables = { control: ["bucardo.run"], A: ["bucardo.checkpoint", "bucardo.intent"], B: ["bank_one", "shop_two"], C: ["bank_two"] }[
      place
    ];
    const holder = await site.databases[place].client();
    await holder.query(`begin; lock table ${tables[random(tables.length)]} in share mode`);
    await load.more(20, PATIENCE_MS);
    await holder.query("commit");
    await holder.end();
  },
  "the daemon is killed": ({ replaceDaemon }) => replaceDaemon(null),
  "the daemon is killed at a point": ({ replaceDaemon, random, points }) => {
    const [point, pass] = [points[random(points.length)]!, 1 + random(3)];
    // Runs that only a change asked for pass the daemon's own points unrecorded: those are sure to be passed once.
    return replaceDaemon(`${point}=kill:${point.startsWith("replicate.") ? pass : 1}`);
  },
  "the daemon is halted": async ({ daemon, load }) => {
    const { pid } = daemon();
    process.kill(pid, "SIGSTOP");
    await load.more(30, PATIENCE_MS);
    process.kill(pid, "SIGCONT");
  },
};

async function signal({ site }: SoakScene, place: Place, call: string): Promise<void> {
  const text = `select ${call}(pid) from pg_stat_activity where datname = current_database() and application_name like 'bucardo%'`;
  await waitFor(() => site.databases[place].query(text).then(() => true), { what: "the server to hear", timeoutMs: PATIENCE_MS });
}

export function choosePlace(random: (below: number) => number): Place {
  return places[random(places.length)]!;
}
