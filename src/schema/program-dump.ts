import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BucardoError } from "../model/error.ts";
import { greetingOf, handOver } from "../postgres/hand-over.ts";
import type { Session } from "../postgres/session.ts";
import { dumpFailure } from "./dump-failure.ts";

/** A pg_dump of this machine. */
export type DumpProgram = { readonly path: string; readonly major: number; readonly version: string };

/** Asks the program for its version; null when it cannot be run. */
export async function findProgram(path: string, signal: AbortSignal): Promise<DumpProgram | null> {
  try {
    const { stdout, code } = await run(path, ["--version"], signal);
    const version = /\(PostgreSQL\) (\S+)/.exec(stdout)?.[1];
    return code === 0 && version !== undefined ? { path, version, major: Number.parseInt(version, 10) } : null;
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

/**
 * Text of the dump by a pg_dump of this machine. It connects to a Unix socket of ours, where the session stands already logged in:
 * passwords, certificates and TLS stay with our driver, for this pg_dump as for the built-in one. The session is of no use afterwards.
 */
export async function runProgram(session: Session, path: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const greeting = await greetingOf(session);
  const folder = await mkdtemp(join(tmpdir(), "bucardo-dump-"));
  const server = createServer();
  try {
    server.listen(join(folder, ".s.PGSQL.5432"));
    await once(server, "listening");
    return await splice(session, server, greeting, async () => {
      const { code, stdout, stderr } = await run(path, ["--host", folder, "--port", "5432", "--username", "bucardo", ...args], signal);
      if (code !== 0) throw dumpFailure(session.name, stderr);
      return stdout;
    });
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The first client of the server gets the session; whoever comes after it (a request to cancel) is sent away. */
async function splice<T>(session: Session, server: Server, greeting: Buffer, work: () => Promise<T>): Promise<T> {
  let client: Socket | null = null;
  let lost: BucardoError | null = null;
  const speaker = {
    receive: (bytes: Buffer) => void client?.write(bytes),
    ended: (error: BucardoError) => {
      lost = error;
      client?.destroy();
    },
  };
  return handOver(session, speaker, async (send) => {
    server.on("connection", (socket) => {
      socket.on("error", () => undefined);
      if (client !== null) return void socket.destroy();
      client = socket;
      return answerStartup(socket, greeting, send);
    });
    try {
      return await work();
    } catch (error) {
      throw lost ?? error;
    } finally {
      client?.destroy();
    }
  });
}

const ENCRYPTION_REQUESTS = new Set([80877103, 80877104]);

function answerStartup(socket: Socket, greeting: Buffer, send: (bytes: Uint8Array) => void): void {
  let startup = Buffer.alloc(0);
  const begin = (bytes: Buffer): void => {
    startup = Buffer.concat([startup, bytes]);
    if (startup.length < 8 || startup.length < startup.readUInt32BE(0)) return;
    const asksForEncryption = ENCRYPTION_REQUESTS.has(startup.readUInt32BE(4));
    startup = Buffer.alloc(0);
    if (asksForEncryption) return void socket.write("N");
    socket.off("data", begin).on("data", send);
    socket.write(greeting);
  };
  socket.on("data", begin);
}

type Finished = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

async function run(path: string, args: readonly string[], signal: AbortSignal): Promise<Finished> {
  const { PATH, HOME, LD_LIBRARY_PATH } = process.env;
  // No PG* variables: they would lead somewhere else than to our socket.
  const env = { PATH, HOME, LD_LIBRARY_PATH, LC_ALL: "C", PGSSLMODE: "disable", PGGSSENCMODE: "disable" };
  const child = spawn(path, args, { stdio: ["ignore", "pipe", "pipe"], env, signal, killSignal: "SIGKILL" });
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text));
  const [code] = (await once(child, "close").catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  })) as [number | null];
  return { code, stdout: out.join(""), stderr: err.join("") };
}
