import { randomBytes } from "node:crypto";
import pg from "pg";
import { superuser, urlOf } from "./server.ts";
import type { ServerAddress } from "./server.ts";
import { waitFor } from "./wait.ts";

export type DatabaseOptions = {
  /** Default: a name nobody else uses. */
  readonly name?: string;
  /** An existing database to clone (about 60 ms), or how to make one: it is filled once per server and cloned from then on. */
  readonly template?: string | DatabaseTemplate;
  /** For other encodings than UTF8, e.g. "LATIN1", "EUC_JP", "SQL_ASCII". */
  readonly encoding?: string;
};

export type DatabaseTemplate = { readonly name: string; readonly fill: (client: pg.Client) => Promise<void> };

/** Creates a database of the test's own. Ends with `await using`: its clients are closed and it is dropped. */
export async function createDatabase(server: ServerAddress, options: DatabaseOptions = {}): Promise<TestDatabase> {
  const name = options.name ?? `t${randomBytes(6).toString("hex")}`;
  const template = typeof options.template === "object" ? await templateDatabase(server, options.template) : options.template;
  const encoding = options.encoding === undefined ? "" : ` encoding ${pg.escapeLiteral(options.encoding)}`;
  const from = template ?? (encoding ? "template0" : "template1");
  await onServer(server, (admin) => createFrom(admin, name, `template ${pg.escapeIdentifier(from)}${encoding}`));
  return new TestDatabase(server, name);
}

export class TestDatabase implements AsyncDisposable {
  readonly server: ServerAddress;
  readonly name: string;
  readonly #clients = new Set<pg.Client>();
  #own: Promise<pg.Client> | undefined;

  constructor(server: ServerAddress, name: string) {
    this.server = server;
    this.name = name;
  }

  get url(): string {
    return urlOf(this.server, this.name);
  }

  /** Host, port, user and database as `pg` and `connect()` of the product take them. */
  get connection(): { host: string; port: number; user: string; database: string } {
    return { host: this.server.host, port: this.server.port, user: superuser, database: this.name };
  }

  /** A connection of its own, closed at the latest with the database. Its loss is no error unless somebody waits for an answer. */
  async client(config: pg.ClientConfig = {}): Promise<pg.Client> {
    const opened = new pg.Client({ ...this.connection, ...config });
    opened.on("error", () => undefined);
    opened.on("end", () => this.#clients.delete(opened));
    this.#clients.add(opened); // also one that is refused: its socket may be open
    await opened.connect();
    return opened;
  }

  /** Rows of a statement (or of the last of several) on the one connection that these calls share. */
  async query<Row extends object = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]> {
    this.#own ??= this.client().then((shared) => {
      shared.on("end", () => (this.#own = undefined)); // after a restart of the server the next call connects again
      return shared;
    });
    this.#own.catch(() => (this.#own = undefined));
    const result = (await (await this.#own).query(text, values)) as unknown as { rows: Row[] } | { rows: Row[] }[];
    return (Array.isArray(result) ? result.at(-1)?.rows : result.rows) ?? [];
  }

  /** The only row. */
  async one<Row extends object = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row> {
    const rows = await this.query<Row>(text, values);
    const [row] = rows;
    if (rows.length !== 1 || !row) throw new Error(`${rows.length} rows instead of one: ${text}`);
    return row;
  }

  /** Closes the clients of this object; the database stays. */
  async closeClients(): Promise<void> {
    await Promise.all([...this.#clients].map((open) => open.end().catch(() => undefined)));
    this.#clients.clear();
    this.#own = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.closeClients();
    await dropDatabase(this.server, this.name);
  }
}

/** A plain client of `pg` on a test's database, closed with it. */
export function client(database: TestDatabase, config: pg.ClientConfig = {}): Promise<pg.Client> {
  return database.client(config);
}

/** Runs statements as superuser in a database of the server (default: postgres) on a connection just for that. */
export async function onServer<T>(server: ServerAddress, work: (client: pg.Client) => Promise<T>, database = "postgres"): Promise<T> {
  const admin = new pg.Client({ host: server.socketDir, port: server.port, user: superuser, database });
  admin.on("error", () => undefined);
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end().catch(() => undefined);
  }
}

/** Drops a database whoever uses it: backends, prepared transactions and replication slots go first. Nothing when the server is down. */
export async function dropDatabase(server: ServerAddress, name: string): Promise<void> {
  try {
    await onServer(server, async (admin) => {
      await endPrepared(server, admin, name);
      await waitFor(
        async () => {
          await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name]);
          await admin.query("select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = $1 and not active", [
            name,
          ]);
          await admin.query(`drop database if exists ${pg.escapeIdentifier(name)}`);
          return true;
        },
        { what: `database ${name} to be dropped` },
      );
    });
  } catch (error) {
    if (!["ECONNREFUSED", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

async function endPrepared(server: ServerAddress, admin: pg.Client, name: string): Promise<void> {
  const { rows } = await admin.query<{ gid: string }>("select gid from pg_prepared_xacts where database = $1", [name]);
  if (rows.length === 0) return;
  await onServer(
    server,
    async (inside) => {
      for (const { gid } of rows) await inside.query(`rollback prepared ${pg.escapeLiteral(gid)}`);
    },
    name,
  );
}

/** Made once per server, also when several test files ask at the same time. */
async function templateDatabase(server: ServerAddress, template: DatabaseTemplate): Promise<string> {
  const name = `template_${template.name}`;
  await onServer(server, async (admin) => {
    await admin.query("select pg_advisory_lock(hashtext($1))", [name]);
    const { rows } = await admin.query("select from pg_database where datname = $1", [name]);
    if (rows.length > 0) return;
    const unfinished = `${name}_unfinished`;
    await admin.query(`drop database if exists ${pg.escapeIdentifier(unfinished)}`);
    await createFrom(admin, unfinished, "template template1");
    await onServer(server, (inside) => template.fill(inside), unfinished);
    await waitFor(() => admin.query(`alter database ${pg.escapeIdentifier(unfinished)} rename to ${pg.escapeIdentifier(name)}`), {
      what: `template ${name} to be free of sessions`,
    });
  });
  return name;
}

async function createFrom(admin: pg.Client, name: string, clause: string): Promise<void> {
  let refusal: Error | undefined;
  await waitFor(
    async () => {
      try {
        await admin.query(`create database ${pg.escapeIdentifier(name)} ${clause}`);
      } catch (error) {
        if ((error as { code?: string }).code === "55006") return false; // somebody is connected to the template: autovacuum, for instance
        refusal = error as Error;
      }
      return true;
    },
    { what: `database ${name} to be created` },
  );
  if (refusal) throw refusal;
}
