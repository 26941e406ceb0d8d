import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { TestDatabase } from "../harness/database.ts";
import { tpcb } from "../harness/pgbench.ts";
import { waitFor } from "../harness/wait.ts";

/** SQLSTATE with which a fenced side refuses a write. */
const FENCED = "BU001";
/** What an application does when it is refused: it tries the other address a moment later. */
const RETRY_MS = 3;

/**
 * An application that may reach both servers: each of its clients writes to one, and when that one takes no writes it repeats the transaction at the other. It
 * never knows of a move; what it feels of one is the gap between its last commit here and its first one there.
 */
export class Application implements AsyncDisposable {
  commits = 0;
  /** Transactions that were refused and repeated elsewhere. */
  repeated = 0;
  /** The longest time without any commit, in ms, since `watchGap`. */
  gapMs = 0;
  #lastCommit = performance.now();
  #stopping = false;
  readonly #sides: readonly TestDatabase[];
  readonly #scale: number;
  readonly #work: Promise<unknown>;

  constructor(sides: readonly TestDatabase[], options: { readonly clients: number; readonly scale: number }) {
    this.#sides = sides;
    this.#scale = options.scale;
    this.#work = Promise.all(Array.from({ length: options.clients }, (_, index) => this.#client(index)));
    this.#work.catch(() => (this.#stopping = true));
  }

  watchGap(): void {
    this.gapMs = 0;
    this.#lastCommit = performance.now();
  }

  async more(commits: number): Promise<void> {
    const goal = this.commits + commits;
    await Promise.race([waitFor(() => this.commits >= goal, { what: `${commits} more commits`, timeoutMs: 60_000 }), this.#work]);
  }

  async stop(): Promise<number> {
    this.#stopping = true;
    await this.#work;
    return this.commits;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    await this.#work.catch(() => undefined);
  }

  async #client(index: number): Promise<void> {
    let state = index + 1;
    // Enough for a load, and the same in every run.
    const random = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below;
    const connections = new Map<number, pg.Client>();
    for (let side = 0; !this.#stopping;) {
      const client = connections.get(side) ?? (await this.#sides[side]!.client({ application_name: `application ${index}` }));
      connections.set(side, client);
      try {
        await tpcb(client, this.#scale, random);
        this.#committed();
      } catch (error) {
        if (!(error instanceof pg.DatabaseError) || error.code !== FENCED) throw error;
        await client.query("rollback");
        this.repeated++;
        side = (side + 1) % this.#sides.length;
        await delay(RETRY_MS);
      }
    }
    for (const client of connections.values()) await client.end();
  }

  #committed(): void {
    const now = performance.now();
    this.gapMs = Math.max(this.gapMs, now - this.#lastCommit);
    this.#lastCommit = now;
    this.commits++;
  }
}
