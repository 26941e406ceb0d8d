import { access, constants, readFile, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { BucardoError } from "../model/error.ts";
import { openAdminConsole, type AdminConsole } from "../postgres/admin-console.ts";
import type { ConnectionFields } from "../postgres/parameters.ts";
import { toBucardoError } from "../postgres/failure.ts";
import { countEntries, entryOf, repoint, restoreEntry, type Place } from "./pooler-ini.ts";
import { replaceFile } from "./replace-file.ts";

/** One PgBouncer between the applications and the database. */
export type PoolerRequest = {
  /** How to reach its admin console (database pgbouncer). */
  readonly console: ConnectionFields;
  /** Its name in section [databases]. */
  readonly database: string;
  /** Its configuration file, where we may write it; null: somebody else repoints it (--on-switch). */
  readonly ini: string | null;
  /** Where the new side is, as the pooler shall reach it. */
  readonly to: Place;
};

type Shown = { readonly host: string | null; readonly port: string | null; readonly paused: boolean; readonly mode: string | null };

/** One pooler with two consoles: PAUSE keeps one waiting until every transaction has ended. Errors: those of connect(), pooler-failed. */
export class Pooler implements AsyncDisposable {
  readonly request: PoolerRequest;
  readonly #waiting: AdminConsole;
  #console: AdminConsole;
  /** The entry before we changed it. */
  #before: string | null = null;
  /** Changes of its file, one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(request: PoolerRequest, console: AdminConsole, waiting: AdminConsole) {
    this.request = request;
    this.#console = console;
    this.#waiting = waiting;
  }

  static async open(request: PoolerRequest): Promise<Pooler> {
    const console = await openAdminConsole(request.console);
    try {
      return new Pooler(request, console, await openAdminConsole(request.console));
    } catch (error) {
      await console[Symbol.asyncDispose]();
      throw error;
    }
  }

  get name(): string {
    return `pooler ${this.#console.place}`;
  }

  /** What keeps it from being switched, and what is worth a word. */
  async check(): Promise<{ problem: string | null; warning: string | null }> {
    const { database, ini } = this.request;
    const shown = await this.#show();
    if (shown === null) return { problem: `has no database ${database}`, warning: null };
    if (!(await this.#isAdmin()))
      return { problem: "its console does not let this user in as an administrator (admin_users)", warning: null };
    if (shown.paused) return { problem: `database ${database} is paused already`, warning: null };
    const problem = ini === null ? null : await this.#checkIni(ini, shown);
    const warning = shown.mode === "session" ? "pools by session: PAUSE waits until every client has disconnected" : null;
    return { problem, warning };
  }

  /** Clients of the database wait from now on; resolves when the last transaction has ended. */
  async pause(signal: AbortSignal): Promise<void> {
    await this.#waiting.ask(`PAUSE ${this.#database}`, signal);
  }

  /** Points it to the new side; its clients still wait. */
  async repoint(): Promise<void> {
    const { ini, database, to } = this.request;
    if (ini === null) return;
    await this.#rewrite(ini, (text) => {
      this.#before ??= entryOf(text, database);
      return repoint(text, database, to);
    });
  }

  /** As it was, and its clients go on. `before`: the entry as an earlier command found it. */
  async takeBack(before: string | null = this.#before): Promise<void> {
    const { ini, database } = this.request;
    if (ini !== null && before !== null) await this.#rewrite(ini, (text) => restoreEntry(text, database, before));
    await this.resume();
  }

  async resume(): Promise<void> {
    if ((await this.#show())?.paused) await this.#ask(`RESUME ${this.#database}`);
  }

  /** The entry of now, to be remembered over a crash. */
  async entry(): Promise<string | null> {
    const { ini, database } = this.request;
    return ini === null ? null : entryOf(await readFile(ini, "utf8"), database);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#console[Symbol.asyncDispose](), this.#waiting[Symbol.asyncDispose]()]);
  }

  get #database(): string {
    return `"${this.request.database.replaceAll('"', '""')}"`;
  }

  /** A command that only administrators may give, and that changes nothing. */
  async #isAdmin(): Promise<boolean> {
    return this.#console.ask("SHOW FDS").then(
      () => true,
      () => false,
    );
  }

  async #checkIni(ini: string, shown: Shown): Promise<string | null> {
    const { database } = this.request;
    try {
      const text = await readFile(ini, "utf8");
      const entries = countEntries(text, database);
      if (entries !== 1) return `${ini} declares database ${database} ${entries === 0 ? "not at all" : `${entries} times`}`;
      // Written beside it and renamed.
      await access(dirname(await realpath(ini)), constants.W_OK);
      const host = /host\s*=\s*'?([^\s']+)/.exec(entryOf(text, database) ?? "")?.[1];
      if (host !== undefined && shown.host !== null && host !== shown.host)
        return `${ini} is not what it runs with: it uses host ${shown.host}`;
      return null;
    } catch (error) {
      return `${ini}: ${(error as NodeJS.ErrnoException).code ?? "cannot be read"}`;
    }
  }

  async #rewrite(ini: string, change: (text: string) => string): Promise<void> {
    const before = this.#turn;
    const rewriting = (async () => {
      await before;
      const text = await readFile(ini, "utf8");
      const changed = change(text);
      if (changed === text) return;
      await replaceFile(ini, changed);
      await this.#ask("RELOAD");
    })();
    this.#turn = rewriting.catch(() => undefined);
    await rewriting;
  }

  async #show(): Promise<Shown | null> {
    const rows = await this.#ask("SHOW DATABASES");
    const row = rows.find(({ name }) => name === this.request.database);
    return row === undefined
      ? null
      : {
          host: row["host"] ?? null,
          port: row["port"] ?? null,
          paused: row["paused"] === "1",
          mode: row["pool_mode"] ?? (await this.#mode()),
        };
  }

  async #mode(): Promise<string | null> {
    const rows = await this.#ask("SHOW CONFIG");
    return rows.find(({ key }) => key === "pool_mode")?.["value"] ?? null;
  }

  /** Once more on a new connection when the old one is gone. */
  async #ask(command: string): Promise<Record<string, string | null>[]> {
    try {
      return await this.#console.ask(command);
    } catch (error) {
      if (toBucardoError(error, {}).details.sqlstate !== undefined) throw this.#failed(command, error);
      await this.#console[Symbol.asyncDispose]();
      this.#console = await openAdminConsole(this.request.console);
      return await this.#console.ask(command).catch((again: unknown) => Promise.reject(this.#failed(command, again)));
    }
  }

  #failed(command: string, error: unknown): BucardoError {
    return new BucardoError("pooler-failed", `${this.name}: ${command}: ${toBucardoError(error, {}).message}`, { cause: error });
  }
}
