import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type pg from "pg";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Major } from "./binaries.ts";
import { onServer } from "./database.ts";
import { exec, execOrFail } from "./exec.ts";
import { root, runDir } from "./root.ts";
import { type Server, startServer } from "./server.ts";
import { waitFor } from "./wait.ts";
import { processesIn } from "./watchdog.ts";

/** A server whose disk can be filled up without anybody else noticing. */
export type SmallDiskServer = AsyncDisposable & {
  readonly server: Server;
  /** So many rows of 200 bytes do not fit any more once the disk is full. */
  readonly rows: number;
  /** Moves a database onto the disk; who is connected to it is thrown out. */
  take(database: string): Promise<void>;
  /** From now on nothing can grow: SQLSTATE 53100. */
  fill(): Promise<void>;
  free(): Promise<void>;
};

const MEGABYTES = 64;

/**
 * Where the machine lets us mount one, the disk is a tmpfs in a mount namespace of its own, which root and plain users may make wherever user namespaces
 * are allowed; it ends with this process. Elsewhere the kernel's limit on the size of a file stands in for it: the server reports the same error.
 */
export async function startOnSmallDisk(major: Major): Promise<SmallDiskServer> {
  const path = join(runDir, `disk-${randomBytes(4).toString("hex")}`);
  await mkdir(path, { recursive: true });
  const mounted = await mount(path);
  const server = await startServer({ major, ...(mounted && { through: mounted.through }) }).catch(async (error: unknown) => {
    await mounted?.end();
    throw error;
  });
  const disk = mounted === null ? limitedFiles(server) : await tablespace(server, path);
  return {
    server,
    ...disk,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await mounted?.end();
      await rm(path, { recursive: true, force: true });
    },
  };
}

type Disk = Omit<SmallDiskServer, "server" | typeof Symbol.asyncDispose>;

/** A process that holds the namespace as long as its input is open, and how to start others within. Null: not allowed here. */
async function mount(path: string): Promise<{ through: string[]; end(): Promise<void> } | null> {
  const script = `mount -t tmpfs -o size=${MEGABYTES}m,mode=0700 none "$0" && echo mounted && exec cat`;
  const holder = spawn("unshare", ["--user", "--map-root-user", "--mount", "sh", "-c", script, path], {
    cwd: root,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const gone = new Promise<null>((resolve) => holder.once("error", () => resolve(null)).once("exit", () => resolve(null)));
  holder.stdin.on("error", () => undefined);
  const said = await Promise.race([once(holder.stdout, "data"), gone]);
  if (said === null) return null;
  // PostgreSQL refuses to be root, even of a namespace.
  const through = [
    "nsenter",
    `--target=${holder.pid}`,
    "--user",
    "--mount",
    "--preserve-credentials",
    "unshare",
    "--user",
    "--map-user=65534",
  ];
  const end = async (): Promise<void> => {
    holder.stdin.end();
    await gone;
  };
  const tried = await exec(through[0]!, [...through.slice(1), "test", "-w", path]).catch(() => null);
  if (tried?.code === 0) return { through, end };
  await end();
  return null;
}

async function tablespace(server: Server, path: string): Promise<Disk> {
  await onServer(server, (admin) => admin.query(`create tablespace small location '${path}'`));
  return {
    rows: 100,
    take: (database) =>
      onServer(server, async (admin) => {
        await waitFor(
          async () => {
            await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [database]);
            await admin.query(`alter database "${database}" set tablespace small`);
            return true;
          },
          { what: `${database} to be moved` },
        );
      }),
    fill: () =>
      onServer(server, async (admin) => {
        await admin.query("create table ballast (t text) tablespace small; alter table ballast alter t set storage plain");
        for (const rows of [1000, 100, 10, 1]) {
          const more = `insert into ballast select repeat('x', 7000) from generate_series(1, ${rows})`;
          while (await fits(admin.query(more))) await stillSmall(admin);
        }
      }),
    free: () => onServer(server, async (admin) => void (await admin.query("drop table ballast"))),
  };
}

/** Whatever went wrong, the machine's own disk is not what we fill. */
async function stillSmall(admin: pg.Client): Promise<void> {
  const { rows } = await admin.query<{ bytes: string }>("select pg_relation_size('ballast')::text as bytes");
  if (Number(rows[0]?.bytes) > 2 * MEGABYTES * 1024 * 1024)
    throw new Error(`the small disk is larger than ${MEGABYTES} MB: is it mounted?`);
}

async function fits(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "53100") return false;
    throw error;
  }
}

/** Larger than a segment of the log, so that only tables meet it; not a whole number of pages, so that the server sees a write cut short. */
const LIMIT = 16 * 1024 * 1024 + 4096;

function limitedFiles(server: Server): Disk {
  const limit = async (bytes: string): Promise<void> => {
    for (const pid of processesIn(server.dataDir)) {
      // The hard limit stays, so that the soft one can be raised again. A process may end meanwhile.
      const { code } = await exec("prlimit", [`--pid=${pid}`, `--fsize=${bytes}:`]);
      if (code !== 0 && processesIn(server.dataDir).includes(pid)) await execOrFail("prlimit", [`--pid=${pid}`, `--fsize=${bytes}:`]);
    }
  };
  return { rows: 90_000, take: async () => undefined, fill: () => limit(String(LIMIT)), free: () => limit("unlimited") };
}
