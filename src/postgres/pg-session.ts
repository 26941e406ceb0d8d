import type { Socket } from "node:net";
import type pg from "pg";
import { withTimeout } from "../base/abort.ts";
import { invariant } from "../base/invariant.ts";
import { BucardoError } from "../model/error.ts";
import { runBatch, type Answer } from "./batch.ts";
import { setDriver, type Driver } from "./_driver.ts";
import { cancelQuery } from "./cancel.ts";
import { describePlace, sqlstateOf, toBucardoError } from "./failure.ts";
import { quoteIdent } from "./quote.ts";
import type { Session } from "./session.ts";
import { sql, type Statement } from "./sql.ts";

export type SessionFacts = {
  readonly name: string;
  readonly serverVersion: number;
  readonly backendPid: number;
  readonly serverEncoding: string;
};

const CLOSE_TIMEOUT_MS = 2000;
const QUERY_CANCELED = "57014";

export class PgSession implements Session {
  readonly name: string;
  readonly serverVersion: number;
  readonly backendPid: number;
  readonly serverEncoding: string;
  readonly #client: pg.Client;
  readonly #socket: Socket;
  readonly #lost = new AbortController();
  readonly #place: string;
  /** Prepared statements by text. */
  readonly #prepared = new Map<string, string>();
  #preparedSoFar = 0;
  readonly #heard = new Map<string, (payload: string) => void>();
  #turn: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | null = null;
  #busy = false;

  /** `ended` is called once, when the connection is gone, however it ended. */
  constructor(facts: SessionFacts, driver: Omit<Driver, "exclusive">, ended: () => void) {
    this.name = facts.name;
    this.serverVersion = facts.serverVersion;
    this.backendPid = facts.backendPid;
    this.serverEncoding = facts.serverEncoding;
    this.#client = driver.client;
    this.#socket = driver.wire.socket;
    this.#place = describePlace(driver.parameters);
    setDriver(this, { ...driver, exclusive: (work) => this.#exclusive(work) });
    this.#client.on("error", (error) => this.#lose(error));
    this.#client.on("end", () => this.#lose(undefined));
    this.#client.on("notification", ({ channel, payload }) => this.#heard.get(channel)?.(payload ?? ""));
    this.#socket.once("close", ended);
    if (this.#socket.destroyed) {
      this.#lose(undefined);
      ended();
    }
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async query<Row extends object>(statement: Statement): Promise<Row[]> {
    if (statement.prepared) return [...(await this.#single(statement)).rows] as Row[];
    return (await this.#run(statement)).rows as Row[];
  }

  async one<Row extends object>(statement: Statement): Promise<Row> {
    const [row, ...others] = await this.query<Row>(statement);
    invariant(
      row !== undefined && others.length === 0,
      `${statement.name} must give one row, gave ${row === undefined ? 0 : others.length + 1}`,
    );
    return row;
  }

  async execute(statement: Statement): Promise<number> {
    if (statement.prepared) return (await this.#single(statement)).count;
    return (await this.#run(statement)).rowCount ?? 0;
  }

  async script(statement: Statement): Promise<number[]> {
    invariant(statement.values === undefined, `${statement.name}: a script takes no values`);
    return (await this.#results(statement)).map((result) => result.rowCount ?? 0);
  }

  batch(statements: readonly Statement[]): Promise<Answer[]> {
    return this.#exclusive(async () => {
      const unsure: string[] = [];
      try {
        return await runBatch(this.#client, statements, (statement) => this.#nameOf(statement, unsure));
      } catch (error) {
        for (const text of unsure) this.#prepared.delete(text);
        await this.#heardOut();
        throw this.#explain(error);
      }
    });
  }

  async listen(channel: string, heard: (payload: string) => void): Promise<void> {
    this.#heard.set(channel, heard);
    await this.execute(sql("session.listen", `listen ${quoteIdent(channel)}`));
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #single(statement: Statement): Promise<Answer> {
    const [answer] = await this.batch([statement]);
    invariant(answer, "a batch without an answer");
    return answer;
  }

  /** Names are never used twice: after an error nobody knows whether the server has got one. */
  #nameOf(statement: Statement, unsure: string[]): string | null {
    if (!statement.prepared) return null;
    const there = this.#prepared.get(statement.text);
    if (there !== undefined) return there;
    const name = `bucardo_${++this.#preparedSoFar}`;
    this.#prepared.set(statement.text, name);
    unsure.push(statement.text);
    return name;
  }

  async #run(statement: Statement): Promise<pg.QueryResult> {
    const last = (await this.#results(statement)).at(-1);
    invariant(last, "a query without any result");
    return last;
  }

  #results(statement: Statement): Promise<pg.QueryResult[]> {
    return this.#exclusive(async () => {
      try {
        const { text, values } = statement;
        const result = await this.#client.query(values === undefined ? { text } : { text, values: [...values] });
        return Array.isArray(result) ? (result as pg.QueryResult[]) : [result];
      } catch (error) {
        await this.#heardOut();
        throw this.#explain(error);
      }
    });
  }

  /** The driver tells of an error before the server has said what became of the transaction: whoever ends it must know that. */
  async #heardOut(): Promise<void> {
    const client = this.#client as pg.Client & { readonly readyForQuery?: boolean };
    if (client.readyForQuery === true || this.lost.aborted || this.#socket.destroyed) return;
    await new Promise<void>((resolve) => {
      client.once("drain", resolve);
      this.#socket.once("close", resolve);
    });
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => {
      if (this.#closing)
        throw new BucardoError("connection-lost", `database "${this.name}": the connection to ${this.#place} is closed`, { db: this.name });
      this.lost.throwIfAborted();
      this.#busy = true;
      return work().finally(() => (this.#busy = false));
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** The driver reports a cut connection as errors without code: whatever fails on a dead socket is a lost connection. */
  #explain(error: unknown): BucardoError {
    const dead = this.lost.aborted || this.#closing !== null || this.#socket.destroyed;
    const sqlstate = sqlstateOf(error);
    if (dead && (sqlstate === null || (this.#closing !== null && sqlstate === QUERY_CANCELED))) return this.#lossOf(error);
    return toBucardoError(error, { db: this.name });
  }

  #lossOf(cause: unknown): BucardoError {
    const sqlstate = sqlstateOf(cause);
    return new BucardoError("connection-lost", `database "${this.name}": the connection to ${this.#place} was lost`, {
      db: this.name,
      ...(sqlstate !== null && { sqlstate }),
      ...(cause !== undefined && { cause }),
    });
  }

  #lose(cause: unknown): void {
    if (this.#closing === null && !this.lost.aborted) this.#lost.abort(this.#lossOf(cause));
  }

  async #end(): Promise<void> {
    const socket = this.#socket;
    // A backend that waits for a lock does not notice that we have left: it would stay, with all that its transaction holds, until it gets the lock.
    if (this.#busy && !socket.destroyed)
      await withTimeout(
        CLOSE_TIMEOUT_MS,
        undefined,
        () => new Error("late"),
        () => cancelQuery(this),
      ).catch(() => undefined);
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => socket.destroy(), CLOSE_TIMEOUT_MS);
      socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      this.#client.end().catch(() => socket.destroy());
    });
  }
}
