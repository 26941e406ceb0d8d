import type pg from "pg";
import { setTimeout as delay } from "node:timers/promises";
import { purge } from "../../src/capture/purge.ts";
import type { TestDatabase } from "../harness/database.ts";
import { type SideCommand, type WriterCommand, writerCount } from "./command.ts";
import { openSession } from "./replica.ts";
import type { Table } from "./schema.ts";
import { openWriter, type Writer } from "./writer.ts";

/** Who works on the source: writers, an administrator, housekeeping. One after the other, so that who waits for whom depends on the commands alone. */
export class Application {
  readonly trace: (line: string) => void;
  readonly source: TestDatabase;
  readonly tables: readonly Table[];
  readonly #writers: Writer[] = [];
  #observer: pg.Client | null = null;
  #gids = 0;

  constructor(source: TestDatabase, tables: readonly Table[], trace: (line: string) => void) {
    this.source = source;
    this.tables = tables;
    this.trace = trace;
  }

  /** A few rows in every table, from before the sync. */
  async begin(): Promise<void> {
    for (let index = 0; index < writerCount; index++) this.#writers.push(await openWriter(this.source, index, this.trace));
    for (const [table] of this.tables.entries()) {
      await this.obey({ by: 0, do: "insert many", table, way: 0, key: 0, other: table, value: 1, guarded: false });
    }
  }

  /** After a crash of the server: everybody is back, and nobody in a transaction. */
  async comeBack(): Promise<void> {
    await this.source.closeClients();
    this.#observer = null;
    this.#writers.length = 0;
    for (let index = 0; index < writerCount; index++) this.#writers.push(await openWriter(this.source, index, this.trace));
  }

  async end(): Promise<void> {
    for (const writer of this.#writers) await writer.end("commit");
    await this.#finishPrepared(true);
  }

  async obey(command: WriterCommand | SideCommand): Promise<void> {
    if ("by" in command) {
      await this.#writers[command.by % this.#writers.length]!.obey(command, this.tables, () => `g${++this.#gids}`);
      return;
    }
    switch (command.do) {
      case "purge": {
        await using session = await openSession(this.source, "source");
        this.trace(`purge ${JSON.stringify(await purge(session, { rotateBytes: command.rotateBytes }))}`);
        return;
      }
      case "finish prepared":
        return this.#finishPrepared(command.commit);
      case "vacuum full":
        return void (await this.administer(`vacuum full ${this.tables[command.table % this.tables.length]!.sql}`));
      case "detach":
      case "attach":
        return this.#rearrange(command);
    }
  }

  /** A statement of the administrator, who does not wait for locks. False: it failed. */
  async administer(text: string): Promise<boolean> {
    try {
      await this.source.query("set lock_timeout = '40ms'; set search_path = 'public'; set synchronous_commit = on");
      await this.source.query(text);
      this.trace(`admin: ${text}`);
      return true;
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === undefined) throw error;
      this.trace(`admin: ${text} -- ${code}`);
      return false;
    }
  }

  /** Where our session waits for a transaction, that one ends: the application goes on, or nobody would. */
  async unblocked<T>(work: Promise<T>, pid: number, how: "commit" | "rollback"): Promise<T> {
    let done = false;
    const settled = work.finally(() => (done = true));
    settled.catch(() => undefined);
    for (;;) {
      await Promise.race([settled.catch(() => undefined), delay(15)]);
      if (done) return settled;
      for (const blocker of await this.#blockersOf(pid)) {
        if (blocker === 0) await this.#finishPrepared(how === "commit");
        await this.#writers.find((writer) => writer.pid === blocker)?.end(how);
      }
    }
  }

  /** Pids; 0 stands for prepared transactions. None while the server is down. */
  async #blockersOf(pid: number): Promise<number[]> {
    try {
      this.#observer ??= await this.source.client({ application_name: "observer" });
      const text = "select distinct unnest(pg_blocking_pids($1)) as pid order by 1";
      const { rows } = await this.#observer.query<{ pid: number }>(text, [pid]);
      return rows.map((row) => row.pid);
    } catch {
      this.#observer = null;
      return [];
    }
  }

  async #rearrange(command: Extract<SideCommand, { do: "attach" | "detach" }>): Promise<void> {
    const partitioned = this.tables.filter((table) => table.partition);
    const table = partitioned[command.table % Math.max(1, partitioned.length)];
    const leaf = table?.leaves[command.leaf % 4];
    if (table === undefined || leaf === undefined) return;
    const bound = command.do === "attach" ? ` ${leaf.bound}` : "";
    await this.administer(`alter table ${table.sql} ${command.do} partition ${leaf.sql}${bound}`);
  }

  async #finishPrepared(commit: boolean): Promise<void> {
    const all = await this.source.query<{ gid: string }>(
      "select gid from pg_prepared_xacts where database = current_database() order by prepared",
    );
    for (const { gid } of all) await this.administer(`${commit ? "commit" : "rollback"} prepared '${gid}'`);
  }
}
