import { expect } from "vitest";
import { onPoint, type Point } from "../../src/base/point.ts";
import { Disposer } from "../../src/base/disposer.ts";
import type { Daemon } from "../../src/daemon/daemon.ts";
import { openDaemonRig, TABLE, type DaemonRig, type DaemonRigOptions } from "../daemon/rig.ts";
import type { TestDatabase } from "../harness/database.ts";
import { faultProxy, type FaultProxy } from "../harness/fault-proxy.ts";
import type { ServerAddress } from "../harness/server.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor, withTimeout } from "../harness/wait.ts";
import { auditor, type Audit } from "./audit.ts";
import { leaks, nothing } from "./leaks.ts";

export const sides = ["source", "target", "control"] as const;
export type Side = (typeof sides)[number];

const MONEY = 1000;
const ACCOUNTS = 10;

/** Generous: whoever waits so long on a loaded machine waits in vain. */
export const PATIENCE_MS = 60_000;

const tables = [
  { name: "account", create: TABLE, key: ["id"] },
  { name: "note", create: "create table note (id integer primary key, text text not null)", key: ["id"] },
  {
    name: "purse",
    create: `create table purse (id integer primary key, money integer not null);
      insert into purse select i, ${MONEY} from generate_series(1, ${ACCOUNTS}) i`,
    key: ["id"],
  },
];

/** What each transaction of change() keeps true. */
const rule =
  "select format('%s %s', (select count(*) from account) = (select count(*) from note), (select sum(money) from purse)) as state";

/** A daemon in this process, a network between it and each of its servers, an application, and somebody who reads the target. */
export class FaultRig implements AsyncDisposable {
  readonly rig: DaemonRig;
  readonly network: Readonly<Record<Side, FaultProxy>>;
  readonly #cleanup: Disposer;
  readonly #audit: Audit;
  #daemon: Daemon | null = null;
  #changes = 0;

  constructor(rig: DaemonRig, network: Record<Side, FaultProxy>, cleanup: Disposer) {
    this.rig = rig;
    this.network = network;
    this.#cleanup = cleanup;
    this.#audit = cleanup.use(auditor(rig.target, rule, `t ${MONEY * ACCOUNTS}`));
  }

  database(side: Side): TestDatabase {
    return this.rig.database({ source: "A", target: "B", control: "control" }[side]);
  }

  async start(): Promise<Daemon> {
    return (this.#daemon = await this.rig.start());
  }

  /** Ends the daemon in the orderly way; nothing of it may be left. */
  async stop(): Promise<void> {
    if (this.#daemon !== null) await this.rig.stop(this.#daemon);
    this.#daemon = null;
    await this.untilNoLeak();
  }

  /** One transaction of the application in every table: rows come, change, go, and change their keys. */
  async change(rows = 1): Promise<void> {
    const first = this.#changes * 1_000_000 + 1;
    this.#changes += 1;
    const [from, to] = [(this.#changes % ACCOUNTS) + 1, ((this.#changes + 3) % ACCOUNTS) + 1];
    const client = this.rig.source;
    await client
      .query(
        `begin;
      insert into account select i, 0 from generate_series(${first}, ${first + rows - 1}) i;
      insert into note select i, repeat('x', 200) from generate_series(${first}, ${first + rows - 1}) i;
      update account set id = -id where id = ${first - 1_000_000};
      update purse set money = money - 7 where id = ${from};
      update purse set money = money + 7 where id = ${to};
      commit`,
      )
      .catch(async (error: unknown) => {
        await client.query("rollback");
        throw error;
      });
  }

  /** Does `work` the next time the point is passed; the result tells whether it has been. */
  at(point: Point, work: () => Promise<void> | void): Disposable & { readonly reached: boolean } {
    let reached = false;
    const watch = onPoint(async (passed) => {
      if (passed !== point || reached) return;
      reached = true;
      await work();
    });
    return {
      get reached() {
        return reached;
      },
      [Symbol.dispose]: () => watch[Symbol.dispose](),
    };
  }

  /** No run is going on, and the last one went well; false as well when nobody can tell. */
  async idle(): Promise<boolean> {
    const last = (await withTimeout(this.rig.runs(), 1000, "the history").catch(() => [])).at(-1);
    return last !== undefined && last.outcome !== null && last.outcome !== "bad";
  }

  /** Waits until a session of the daemon waits there for a lock. */
  async untilBlocked(side: Side): Promise<void> {
    const blocked =
      "select pid from pg_stat_activity where datname = current_database() and application_name like 'bucardo%' and wait_event_type = 'Lock'";
    await waitFor(async () => (await this.database(side).query(blocked)).length > 0, {
      what: `the daemon to wait for a lock on the ${side}`,
      timeoutMs: PATIENCE_MS,
    });
  }

  /** Waits for a kick and for whatever the fault has left to go away; readers must never have seen a torn state. */
  async healed(kick: number): Promise<void> {
    const settled = await this.rig.settled(kick, PATIENCE_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.rig.log.lines.slice(-40).join("\n")}`, { cause: error });
    });
    const bad = (await this.rig.runs()).filter((run) => settled.some((one) => one.outcome === "bad" && one.run === run.id));
    expect(bad, "a fault that heals by itself settles no kick as bad").toEqual([]);
    await this.rig.untilEqual("B", PATIENCE_MS);
    this.#audit.check();
    await this.untilNoLeak();
  }

  async untilNoLeak(): Promise<void> {
    let left: string[] = [];
    const none = async (): Promise<boolean> => (left = await this.#leaks()).length === 0;
    await waitFor(none, { what: "nothing to be left over", timeoutMs: PATIENCE_MS }).catch((error: unknown) => {
      throw new Error(`left over: ${left.join("; ")}`, { cause: error });
    });
  }

  async #leaks(): Promise<string[]> {
    const runs = this.#daemon !== null;
    // The two sessions of the loop, the watcher's and the keeper's; the watcher's flag; a stage per table.
    const allowed = {
      control: { sessions: 1, locks: ["25205,1"], temporaryTables: 0 },
      source: { sessions: 3, locks: ["25205,2"], temporaryTables: 0 },
      target: { sessions: 1, locks: [], temporaryTables: tables.length },
    };
    const lines: string[] = [];
    for (const side of sides) {
      lines.push(...(await leaks(this.database(side), side, runs ? allowed[side] : nothing)));
      const open = this.network[side].connections;
      if (open > (runs ? allowed[side].sessions : 0)) lines.push(`${side}: ${open} sockets`);
    }
    return lines;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const side of sides) this.network[side].resume();
    await this.#cleanup[Symbol.asyncDispose]();
  }
}

export type FaultRigOptions = Pick<DaemonRigOptions, "overrides"> & { readonly servers?: Partial<Record<Side, ServerAddress>> };

export async function openFaultRig({ servers = {}, overrides = {} }: FaultRigOptions = {}): Promise<FaultRig> {
  await using cleanup = new Disposer();
  const at = async (side: Side): Promise<ServerAddress> => servers[side] ?? (await sharedServer(15));
  const addresses = { source: await at("source"), target: await at("target"), control: await at("control") };
  const through = async (side: Side): Promise<FaultProxy> => cleanup.use(await faultProxy({ targetPort: addresses[side].port }));
  const network = { source: await through("source"), target: await through("target"), control: await through("control") };
  const rig = cleanup.use(
    await openDaemonRig({
      ...addresses,
      tables,
      sync: { autokick: false },
      through: { A: network.source, B: network.target, control: network.control },
      overrides: { retry_first: "10 ms", ...overrides },
    }),
  );
  return new FaultRig(rig, network, cleanup.move());
}
