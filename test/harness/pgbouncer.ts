import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import pg from "pg";
import type { TestDatabase } from "./database.ts";
import { freePort } from "./port.ts";
import { unprivileged } from "./privilege.ts";
import { runDir } from "./root.ts";
import { waitFor } from "./wait.ts";

export type PgBouncer = AsyncDisposable & {
  readonly port: number;
  readonly ini: string;
  /** A client of database `shop` behind the pooler. */
  client(): Promise<pg.Client>;
  /** Rows of a command of the admin console. */
  ask(command: string): Promise<Record<string, unknown>[]>;
};

/** A real pooler in front of a database, which it calls `shop`; `program` is the path that needsProgram() gave. */
export async function startPgBouncer(program: string, database: TestDatabase, poolSize = 10): Promise<PgBouncer> {
  const dir = join(runDir, `pgbouncer-${randomBytes(4).toString("hex")}`);
  await mkdir(dir, { recursive: true });
  const port = await freePort();
  const ini = join(dir, "pgbouncer.ini");
  const log = join(dir, "log");
  await writeFile(
    ini,
    `; a comment that stays
[databases]
shop = host=${database.server.host} port=${database.server.port} dbname=${database.name} user=postgres pool_size=${poolSize}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
admin_users = postgres
pool_mode = transaction
max_client_conn = 200
logfile = ${log}
`,
  );
  await chmod(ini, 0o640);
  const who = await unprivileged();
  await who.own(dir);
  const { command, args, ...identity } = who.wrap(program, ["-q", ini]);
  const child = spawn(command, args, { ...identity, stdio: "ignore" });
  const client = async (name: string): Promise<pg.Client> => {
    const opened = new pg.Client({ host: "127.0.0.1", port, user: "postgres", database: name });
    opened.on("error", () => undefined);
    await opened.connect();
    return opened;
  };
  const ask = async (text: string): Promise<Record<string, unknown>[]> => {
    const opened = await client("pgbouncer");
    try {
      return (await opened.query<Record<string, unknown>>(text)).rows;
    } finally {
      await opened.end();
    }
  };
  const end = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await waitFor(() => ask("SHOW VERSION"), { what: "a pooler that answers" });
  } catch (error) {
    const said = await readFile(log, "utf8").catch(() => "");
    await end();
    throw new Error(`PgBouncer did not start\n${said}`, { cause: error });
  }
  return { port, ini, ask, client: () => client("shop"), [Symbol.asyncDispose]: end };
}
