import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binaries, type Binaries, type Major } from "./binaries.ts";
import { createCluster, serverEnv } from "./cluster.ts";
import { exec } from "./exec.ts";
import { freePort } from "./port.ts";
import { unprivileged } from "./privilege.ts";
import { runDir } from "./root.ts";
import { confLines, hbaText, writeTls } from "./server-files.ts";
import { waitFor, withTimeout } from "./wait.ts";
import { processesIn, signal, watch } from "./watchdog.ts";
import type { Watchdog } from "./watchdog.ts";

export type ServerOptions = {
  readonly major: Major;
  /** Other programs of that major than npm's. */
  readonly programs?: Binaries;
  /** Added to postgresql.conf, after ours. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Flush to disk as a real server does. Off by default; a killed process loses nothing by that, a killed machine would. */
  readonly durable?: boolean;
  /** How TCP connections authenticate; the socket always trusts. */
  readonly auth?: "trust" | "scram-sha-256" | "md5" | "password" | "reject";
  /** Whole lines of pg_hba.conf that come before ours. */
  readonly hba?: readonly string[];
  /** Makes the data directory, instead of initdb: for copies of other servers. */
  readonly seed?: (dataDir: string) => Promise<void>;
  /** A command that starts the server, instead of this process itself: see small-disk.ts. */
  readonly through?: readonly string[];
  /** PEM texts; turns TLS on. */
  readonly tls?: { readonly key: string; readonly certificate: string; readonly clientAuthority?: string };
};

/** Where a server answers: all that is known of one that somebody else owns. */
export type ServerAddress = {
  readonly major: Major;
  readonly host: string;
  readonly port: number;
  readonly socketDir: string;
  readonly dataDir: string;
  readonly logFile: string;
};

export const superuser = "postgres";

export function urlOf(server: ServerAddress, database = "postgres", user = superuser): string {
  return `postgresql://${user}@${server.host}:${server.port}/${encodeURIComponent(database)}`;
}

/** A throw-away server with a cluster of its own. Ends with `await using`, at the latest with this process. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const dir = join(runDir, `${options.major}-${randomBytes(4).toString("hex")}`);
  await mkdir(dir, { recursive: true });
  // The longest path of a socket is 107 bytes, and a clone may lie deep.
  const socketDir = dir.length < 80 ? dir : await mkdtemp(join(tmpdir(), "bucardo-"));
  const watchdog = watch(dir, "", socketDir === dir ? "" : socketDir);
  const server = new Server(options, dir, socketDir, watchdog);
  try {
    await server._create();
    await server.start();
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

export class Server implements ServerAddress, AsyncDisposable {
  readonly major: Major;
  readonly host = "127.0.0.1";
  readonly socketDir: string;
  readonly dataDir: string;
  readonly logFile: string;
  #port = 0;
  #process: ChildProcess | null = null;
  readonly #options: ServerOptions & { readonly programs: Binaries };
  readonly #dir: string;
  readonly #watchdog: Watchdog;

  constructor(options: ServerOptions, dir: string, socketDir: string, watchdog: Watchdog) {
    this.#options = { ...options, programs: options.programs ?? binaries(options.major) };
    this.#dir = dir;
    this.#watchdog = watchdog;
    this.major = options.major;
    this.socketDir = socketDir;
    this.dataDir = join(dir, "data");
    this.logFile = join(dir, "server.log");
  }

  /** The same after every restart, so that clients find the server again. */
  get port(): number {
    return this.#port;
  }

  /** The postmaster's; an error while the server is down. */
  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error(`PostgreSQL ${this.major} is not running`);
    return pid;
  }

  get running(): boolean {
    return this.#process !== null;
  }

  url(database?: string, user?: string): string {
    return urlOf(this, database, user);
  }

  /** What the server has logged until now. */
  log(): Promise<string> {
    return readFile(this.logFile, "utf8");
  }

  /** Starts a stopped or crashed server again, on the same port. */
  async start(): Promise<void> {
    if (this.#process) throw new Error(`PostgreSQL ${this.major} is running already`);
    if (this.#port > 0) return this.#startOn(this.#port);
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      try {
        await this.#startOn(port);
        this.#port = port;
        return;
      } catch (error) {
        // Somebody else may have taken the port between our look and the server's.
        if (attempt === 5 || !String(error).includes("could not bind")) throw error;
      }
    }
  }

  async stop(mode: "fast" | "immediate" = "fast"): Promise<void> {
    const child = this.#process;
    if (!child) return;
    child.kill(mode === "fast" ? "SIGINT" : "SIGQUIT");
    signal(processesIn(this.dataDir), "SIGCONT");
    await withTimeout(ended(child), 60_000, `PostgreSQL ${this.major} to stop`);
  }

  async restart(mode: "fast" | "immediate" = "fast"): Promise<void> {
    await this.stop(mode);
    await this.start();
  }

  /** SIGKILL for the postmaster and all its children at once: what was not yet written is lost. start() recovers. */
  async crash(): Promise<void> {
    const child = this.#process;
    if (!child) return;
    child.kill("SIGKILL");
    signal(processesIn(this.dataDir), "SIGKILL");
    await ended(child);
    await this.#untilNobody("SIGKILL");
  }

  /** SIGKILL for one backend: the server then crashes all the others and recovers by itself. */
  killBackend(pid: number): void {
    signal([pid], "SIGKILL");
  }

  /** The whole server stands still, as on a machine that hangs: connections stay open and nobody answers. */
  freeze(): void {
    signal(processesIn(this.dataDir), "SIGSTOP");
  }

  thaw(): void {
    signal(processesIn(this.dataDir), "SIGCONT");
  }

  /** Appends to postgresql.conf; takes effect with restart() or, where PostgreSQL allows it, with reload(). */
  async configure(settings: Readonly<Record<string, string | number | boolean>>): Promise<void> {
    await appendFile(join(this.dataDir, "postgresql.conf"), confLines(settings));
  }

  reload(): void {
    process.kill(this.pid, "SIGHUP");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const segment = sharedMemory(this.dataDir);
    await this.stop("immediate");
    await this.#untilNobody("SIGKILL");
    // Only a killed server leaves its segment, and its file, behind.
    if (segment && existsSync(join(this.dataDir, "postmaster.pid"))) await exec("ipcrm", ["-m", segment]).catch(() => undefined);
    await rm(this.#dir, { recursive: true, force: true });
    if (this.socketDir !== this.#dir) await rm(this.socketDir, { recursive: true, force: true });
    await this.#watchdog.dismiss();
  }

  /** Private to this file. */
  async _create(): Promise<void> {
    const { durable, settings, auth, hba, tls, seed } = this.#options;
    await (seed ? seed(this.dataDir) : createCluster(this.#options.programs, this.dataDir));
    await writeFile(join(this.dataDir, "pg_hba.conf"), hbaText(auth ?? "trust", hba ?? []));
    await appendFile(
      join(this.dataDir, "postgresql.conf"),
      confLines({
        listen_addresses: this.host,
        unix_socket_directories: this.socketDir,
        max_connections: 200,
        shared_buffers: "32MB",
        max_wal_size: "256MB",
        min_wal_size: "32MB",
        dynamic_shared_memory_type: "mmap", // in the data directory: nothing of a killed server stays in /dev/shm
        log_line_prefix: "%m [%p] %q%d ",
        timezone: "UTC",
        log_timezone: "UTC",
        ...(durable ? {} : { fsync: false, full_page_writes: false }),
        ...(tls ? { ssl: true } : {}),
        ...(tls?.clientAuthority === undefined ? {} : { ssl_ca_file: "root.crt" }),
        ...settings,
      }),
    );
    if (tls) await writeTls(this.dataDir, tls);
    const user = await unprivileged();
    await user.own(this.#dir);
    if (this.socketDir !== this.#dir) await user.own(this.socketDir);
  }

  async #startOn(port: number): Promise<void> {
    const user = await unprivileged();
    const words = [this.#options.programs.postgres, "-D", this.dataDir, "-p", String(port)] as const;
    const [first, ...rest] = this.#options.through ?? [];
    const [program, ...options] = words;
    const { command, args, ...as } = first === undefined ? user.wrap(program, options) : { command: first, args: [...rest, ...words] };
    const log = openSync(this.logFile, "a");
    const child = spawn(command, args, { cwd: this.dataDir, env: serverEnv, detached: true, stdio: ["ignore", log, log], ...as });
    closeSync(log);
    child.unref();
    child.once("exit", () => {
      if (this.#process === child) this.#process = null;
    });
    this.#process = child;
    await once(child, "spawn");
    await waitFor(() => !this.#process || ready(this.dataDir, child.pid), {
      what: `PostgreSQL ${this.major} to start`,
      timeoutMs: 60_000,
      everyMs: 5,
    });
    if (!this.#process) throw new Error(`PostgreSQL ${this.major} did not start:\n${(await this.log()).slice(-4000)}`);
  }

  async #untilNobody(name: NodeJS.Signals): Promise<void> {
    await waitFor(
      () => {
        const left = processesIn(this.#dir);
        signal(left, name);
        return left.length === 0;
      },
      { what: `the processes of PostgreSQL ${this.major} to end`, timeoutMs: 30_000 },
    );
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

/** The postmaster keeps its state in line 8 of its pid file; no connection is needed to ask. */
function ready(dataDir: string, pid: number | undefined): boolean {
  try {
    const lines = readFileSync(join(dataDir, "postmaster.pid"), "utf8").split("\n");
    return lines[0] === String(pid) && lines[7]?.trim() === "ready";
  } catch {
    return false;
  }
}

/** The id of the System V segment: second word of line 7 of the pid file. */
function sharedMemory(dataDir: string): string | null {
  try {
    return readFileSync(join(dataDir, "postmaster.pid"), "utf8").split("\n")[6]?.trim().split(/\s+/)[1] ?? null;
  } catch {
    return null;
  }
}
