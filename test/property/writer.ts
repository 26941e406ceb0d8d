import type pg from "pg";
import type { TestDatabase } from "../harness/database.ts";
import { type WriterCommand, writerCount } from "./command.ts";
import { copyIn } from "./copy-in.ts";
import type { Table } from "./schema.ts";
import { statementOf } from "./statement.ts";

/** Somebody who waits longer than this for a lock gives up. All others are idle meanwhile, so whether one waits is no matter of luck. */
const PATIENCE = "40ms";

/** A session of the application: none, one or a broken transaction open. */
export class Writer {
  readonly name: string;
  readonly client: pg.Client;
  readonly pid: number;
  readonly #trace: (line: string) => void;
  state: "idle" | "open" | "failed" = "idle";
  #saved = 0;
  /** Each statement is a transaction of its own. */
  readonly #alone: boolean;

  constructor(name: string, client: pg.Client, pid: number, alone: boolean, trace: (line: string) => void) {
    this.name = name;
    this.#alone = alone;
    this.client = client;
    this.pid = pid;
    this.#trace = trace;
  }

  async obey(command: WriterCommand, tables: readonly Table[], gid: () => string): Promise<void> {
    switch (command.do) {
      case "begin":
        if (this.state !== "idle" || this.#alone) return;
        this.#saved = 0;
        this.state = "open";
        return void (await this.#send("begin"));
      case "commit":
        return this.end("commit");
      case "rollback":
        return this.end("rollback");
      case "savepoint":
        if (this.state !== "open") return;
        this.#saved++;
        return void (await this.#send("savepoint mine"));
      case "rollback to":
        if (this.state === "idle" || this.#saved === 0) return;
        this.state = "open";
        return void (await this.#send("rollback to savepoint mine"));
      case "prepare":
        if (this.state !== "open") return;
        this.state = "idle";
        return void (await this.#send(`prepare transaction '${gid()}'`));
      default: {
        const statement = statementOf(command, tables);
        if (statement === null || this.state === "failed") return;
        const guarded = command.guarded && this.state === "open";
        if (guarded) await this.client.query("savepoint guard");
        const done = await this.#send(statement.text, statement.rows);
        if (!done && guarded) await this.client.query("rollback to savepoint guard");
        else if (!done && this.state === "open") this.state = "failed";
        else if (guarded) await this.client.query("release savepoint guard");
      }
    }
  }

  /** A deferred constraint may turn COMMIT into an error; the transaction is over either way. */
  async end(how: "commit" | "rollback"): Promise<void> {
    if (this.state === "idle") return;
    this.state = "idle";
    await this.#send(how);
  }

  async #send(text: string, rows?: readonly (readonly string[])[]): Promise<boolean> {
    try {
      if (rows === undefined) {
        const { rowCount } = await this.client.query(text);
        this.#trace(`${this.name}: ${text}${rowCount === null ? "" : ` -- ${rowCount}`}`);
        return true;
      }
      const values: (string | null)[][] = [];
      for (const row of rows) {
        const { rows: texts } = await this.client.query<(string | null)[]>({
          text: `select ${row.map((expression) => `(${expression})::text`).join(", ")}`,
          rowMode: "array",
        });
        values.push(texts[0]!);
      }
      await copyIn(this.client, text, values);
      this.#trace(`${this.name}: ${text} -- ${JSON.stringify(values).slice(0, 300)}`);
      return true;
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === undefined) throw error;
      this.#trace(`${this.name}: ${text} -- ${code}`);
      return false;
    }
  }
}

export async function openWriter(database: TestDatabase, index: number, trace: (line: string) => void): Promise<Writer> {
  const client = await database.client({ application_name: `writer ${index}` });
  const { rows } = await client
    .query<{ pid: number }>(`set lock_timeout = '${PATIENCE}'; set search_path = 'public'`)
    .then(() => client.query<{ pid: number }>("select pg_backend_pid() as pid"));
  return new Writer(`w${index}`, client, rows[0]!.pid, index === writerCount - 1, trace);
}
