import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import type { TestDatabase } from "../test/harness/database.ts";

export type ApplicationOptions = {
  readonly clients: number;
  /** Transactions per second of all clients; null: as fast as they can. */
  readonly rate: number | null;
  readonly accounts: number;
};

/** Between two attempts of a client that was refused. */
const retryMs = 5;

/**
 * Clients that write to one database until they are refused or told to stop, and from then on to the other, until that accepts.
 * One round trip per transaction, so that the application leaves the processor to the servers.
 */
export class Application implements AsyncDisposable {
  commits = 0;
  /** When the first write began that was not accepted any more; null: none yet. */
  refusedAt: number | null = null;
  /** When the other database had accepted its first write; null: not yet. */
  acceptedAt: number | null = null;
  readonly #options: ApplicationOptions;
  readonly #from: TestDatabase;
  readonly #to: TestDatabase;
  readonly #work: Promise<unknown>;
  readonly #end = new AbortController();
  #held: Promise<void> | null = null;
  #letGo: () => void = () => undefined;
  #waiting = 0;

  constructor(from: TestDatabase, to: TestDatabase, options: ApplicationOptions) {
    this.#from = from;
    this.#to = to;
    this.#options = options;
    this.#work = Promise.all(Array.from({ length: options.clients }, () => this.#client()));
    this.#work.catch(() => undefined);
  }

  /** Every client ends its transaction and waits. */
  async hold(): Promise<void> {
    this.refusedAt = performance.now();
    this.#held = new Promise((resolve) => (this.#letGo = resolve));
    while (this.#waiting < this.#options.clients) await delay(1);
  }

  /** The waiting clients go on, on the other side. */
  letGo(): void {
    this.#letGo();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    this.#letGo();
    await this.#work.catch(() => undefined);
  }

  async #client(): Promise<void> {
    let client = await this.#from.client({ application_name: "application" });
    while (!this.#ended) {
      await this.#pace();
      if (this.#held !== null) {
        this.#waiting++;
        await this.#held;
        break;
      }
      const began = performance.now();
      try {
        await this.#write(client);
        this.commits++;
      } catch {
        this.refusedAt = Math.min(this.refusedAt ?? began, began);
        break;
      }
    }
    await client.end().catch(() => undefined);
    client = await this.#to.client({ application_name: "application" });
    while (!this.#ended) {
      try {
        await this.#write(client);
        this.acceptedAt ??= performance.now();
        this.commits++;
        await this.#pace();
      } catch {
        await delay(retryMs);
      }
    }
    await client.end().catch(() => undefined);
  }

  get #ended(): boolean {
    return this.#end.signal.aborted;
  }

  async #pace(): Promise<void> {
    const { rate, clients } = this.#options;
    if (rate !== null) await delay((1000 * clients) / rate, undefined, { signal: this.#end.signal }).catch(() => undefined);
  }

  /** pgbench's three updates, in one transaction. */
  async #write(client: pg.Client): Promise<void> {
    const account = 1 + randomInt(this.#options.accounts);
    const branch = 1 + Math.trunc((account - 1) / 100_000);
    const delta = randomInt(10_000) - 5000;
    await client.query(`update pgbench_accounts set abalance = abalance + ${delta} where aid = ${account};
      update pgbench_tellers set tbalance = tbalance + ${delta} where tid = ${branch * 10 - randomInt(10)};
      update pgbench_branches set bbalance = bbalance + ${delta} where bid = ${branch}`);
  }
}
