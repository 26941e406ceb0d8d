import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { purge } from "../../src/capture/purge.ts";
import type { Major } from "../harness/binaries.ts";
import type { TestDatabase } from "../harness/database.ts";
import { createTransfers, totalOfTransfers } from "../harness/transfers.ts";
import { seededRandom, writers } from "../harness/writers.ts";
import { openRig, openSession, type Rig } from "../replicate/rig.ts";

const accounts = 300;
const total = String(accounts * 1000);

export type Plan = { readonly seconds: number; readonly pairs: readonly (readonly [Major, Major])[] };

/**
 * Nothing is taken in turns here: writers, runs, purges, readers and a killer of our sessions go on at the same time. What holds at every moment: a
 * reader of the target sees the sum that no transfer changes, and a run begun after a commit shows it.
 */
export function transfers({ seconds, pairs }: Plan): void {
  test.for(pairs)(
    "transfers from %i to %i: no reader ever sees half of one, whoever is killed",
    { timeout: seconds * 3000 + 60_000 },
    async (majors) => {
      const seed = Number(process.env["BUCARDO_SEED"] ?? Math.floor(Math.random() * 1_000_000));
      await using rig = await openRig({ majors, schema: "select", tables: [], capture: false });
      for (const side of [rig.source, rig.target]) {
        await createTransfers(await side.client(), accounts);
        await side.query("create table tick (id int primary key, at int); insert into tick values (1, 0)");
      }
      const life = new Life(await captured(rig, majors), seed);
      await using work = writers(rig.source, { clients: 3, kind: "transfers", seed });
      const end = performance.now() + seconds * 1000;
      const goesOn = (): boolean => performance.now() < end && life.failure === null;
      await Promise.all([life.runs(goesOn), life.purges(goesOn), life.reads(goesOn), life.kills(goesOn)]);
      if (life.failure !== null) throw new Error(`seed ${seed}`, { cause: life.failure });
      await work.stop();
      await life.lastRun();
      expect(await rig.differences()).toEqual([]);
      expect(life.counts.runs, "runs").toBeGreaterThan(3);
      expect(life.counts.reads, "reads").toBeGreaterThan(10);
      expect(life.counts.killed, "sessions killed in a run").toBeGreaterThan(0);
      if (process.env["BUCARDO_PROPERTY_COUNTS"]) process.stderr.write(`${JSON.stringify({ ...life.counts, commits: work.commits })}\n`);
    },
  );
}

/** The rig's tables exist only now; it finds them when it captures. */
async function captured(rig: Rig, majors: readonly [Major, Major]): Promise<Rig> {
  Object.assign(rig, { options: { ...rig.options, majors, tables: ["transfers_account", "tick"], sequences: ["transfers_new_id"] } });
  await rig.capture();
  return rig;
}

class Life {
  readonly counts = { runs: 0, killed: 0, purges: 0, reads: 0, rotated: 0 };
  failure: unknown = null;
  readonly #rig: Rig;
  readonly #random: (below: number) => number;

  constructor(rig: Rig, seed: number) {
    this.#rig = rig;
    this.#random = seededRandom(seed);
  }

  async runs(goesOn: () => boolean): Promise<void> {
    for (let tick = 1; goesOn(); tick++) {
      await this.#try(async () => {
        await this.#rig.source.query("update tick set at = $1", [tick]);
        await this.#run();
        const { at } = await this.#rig.target.one<{ at: number }>("select at from tick");
        if (at !== tick) throw new Error(`a run begun after commit ${tick} shows commit ${at}`);
      });
    }
  }

  async lastRun(): Promise<void> {
    await this.#run();
    expect((await this.#rig.run()).outcome).toBe("empty");
  }

  /** As a daemon: a lost connection means new ones and the same again. */
  async #run(): Promise<void> {
    for (;;) {
      try {
        await this.#rig.run();
        this.counts.runs++;
        return;
      } catch (error) {
        if ((error as { code?: string }).code !== "connection-lost") throw error;
        this.counts.killed++;
        await this.#rig.dropSessions();
      }
    }
  }

  async purges(goesOn: () => boolean): Promise<void> {
    await using session = await openSession(this.#rig.source, "source");
    while (goesOn()) {
      await this.#try(async () => {
        this.counts.rotated += (await purge(session, { rotateBytes: 8192 })).rotated;
        this.counts.purges++;
      });
      await delay(this.#random(60));
    }
  }

  /** Each read is one statement, so one snapshot of the target. */
  async reads(goesOn: () => boolean): Promise<void> {
    const reader = await this.#rig.target.client();
    while (goesOn()) {
      await this.#try(async () => {
        const { rows } = await reader.query<{ total: string }>(totalOfTransfers);
        if (rows[0]!.total !== total) throw new Error(`a reader saw ${rows[0]!.total}, not ${total}`);
        this.counts.reads++;
      });
      await delay(2);
    }
    await reader.end();
  }

  /** Sessions of ours that are in a run die at a random moment, on either side. */
  async kills(goesOn: () => boolean): Promise<void> {
    while (goesOn()) {
      await delay(200 + this.#random(800));
      await this.#try(() => this.#kill(this.#random(2) === 0 ? this.#rig.source : this.#rig.target));
    }
  }

  async #kill(database: TestDatabase): Promise<void> {
    const { source, target } = await this.#rig.sessions();
    const pid = database === this.#rig.source ? source.backendPid : target.backendPid;
    await database.query("select pg_terminate_backend($1)", [pid]);
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.failure ??= error;
    }
  }
}
