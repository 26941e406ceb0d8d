import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import type { TestDatabase } from "./database.ts";
import { tpcb } from "./pgbench.ts";
import { transfer } from "./transfers.ts";
import { waitFor } from "./wait.ts";

export type WriterOptions = {
  readonly clients: number;
  /** "pgbench": TPC-B on the tables of createPgbench(); "transfers": on those of createTransfers(). */
  readonly kind: "pgbench" | "transfers";
  /** Of fillPgbench(). Default 1. */
  readonly scale?: number;
  /** The same seed gives each client the same choices. Default 1. */
  readonly seed?: number;
  /** Pause of each client between transactions. Default 0. */
  readonly pauseMs?: number;
  /** A failed transaction or a lost connection is counted and the client goes on, as an application would. Default: it is an error. */
  readonly tolerant?: boolean;
};

/** Starts clients that write without pause until they are told to stop. */
export function writers(database: TestDatabase, options: WriterOptions): Writers {
  return new Writers(database, options);
}

export class Writers implements AsyncDisposable {
  commits = 0;
  failures = 0;
  lastFailure: unknown;
  readonly #work: Promise<void>;
  readonly #end = new AbortController();

  constructor(database: TestDatabase, options: WriterOptions) {
    const all = Array.from({ length: options.clients }, (_, index) => this.#client(database, options, index));
    this.#work = Promise.all(all).then(() => undefined);
    this.#work.catch(() => this.#end.abort()); // reported by stop(); the others need not go on
  }

  get writing(): boolean {
    return !this.#end.signal.aborted;
  }

  /** Waits until so many more transactions have been committed. */
  async more(commits: number, timeoutMs = 30_000): Promise<void> {
    const goal = this.commits + commits;
    await Promise.race([waitFor(() => this.commits >= goal || !this.writing, { what: `${commits} more commits`, timeoutMs }), this.#work]);
    if (this.commits < goal) await this.stop();
  }

  /** Lets every client finish its transaction and gives the number of commits; rejects when a client failed. */
  async stop(): Promise<number> {
    this.#end.abort();
    await this.#work;
    return this.commits;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#work.catch(() => undefined);
  }

  async #client(database: TestDatabase, options: WriterOptions, index: number): Promise<void> {
    const random = seededRandom((options.seed ?? 1) * 1000 + index);
    let client: pg.Client | null = null;
    while (this.writing) {
      try {
        client ??= await database.client({ application_name: `writer ${index}` });
        if (options.kind === "pgbench") await tpcb(client, options.scale ?? 1, random);
        else await transfer(client, random);
        this.commits++;
        if (options.pauseMs) await delay(options.pauseMs, undefined, { signal: this.#end.signal }).catch(() => undefined);
      } catch (error) {
        this.failures++;
        this.lastFailure = error;
        await client?.end().catch(() => undefined);
        client = null;
        if (!options.tolerant) throw error;
        await delay(20);
      }
    }
    await client?.end();
  }
}

/** Mulberry32: small, and good enough to choose accounts. Gives an integer from 0 to below - 1. */
export function seededRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}
