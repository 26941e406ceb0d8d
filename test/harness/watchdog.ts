import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { once } from "node:events";
import { root } from "./root.ts";

export type Watchdog = {
  /** The owner has cleaned up by itself. */
  dismiss(): Promise<void>;
};

/**
 * Starts the process that removes `dir` (and `socketDir`), what runs in it and what carries `mark`, should this process end without doing so:
 * the kernel closes the pipe between them, even after SIGKILL.
 */
export function watch(dir: string, mark = "", socketDir = ""): Watchdog {
  const child = spawn("/bin/sh", [join(root, "test", "harness", "watchdog.sh"), dir, mark, socketDir], {
    cwd: "/",
    detached: true, // Ctrl-C in the terminal must not reach it
    stdio: ["pipe", "ignore", "ignore"],
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
  });
  child.stdin.on("error", () => undefined);
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref(); // a pipe to a child is a socket, which the types do not say
  return {
    async dismiss() {
      const gone = child.exitCode === null && child.signalCode === null ? once(child, "exit") : null;
      child.ref();
      child.stdin.end("done\n");
      await gone;
    },
  };
}

/** A value for BUCARDO_TEST_MARK that only this process gives to its children. */
export const mark: string = `${process.pid}-${randomBytes(6).toString("hex")}`;

/** The processes whose working directory is `dir` or below: a server, its children, and nobody else. */
export function processesIn(dir: string): number[] {
  // /proc tells where a folder really is, also where node_modules is a link.
  const real = existsSync(dir) ? realpathSync(dir) : dir;
  return allProcesses().filter((pid) => {
    try {
      const where = readlinkSync(`/proc/${pid}/cwd`);
      return where === real || where.startsWith(`${real}/`);
    } catch {
      return false;
    }
  });
}

/** The processes that were started with this mark in their environment. */
export function processesMarked(wanted: string): number[] {
  return allProcesses().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(`BUCARDO_TEST_MARK=${wanted}`);
    } catch {
      return false;
    }
  });
}

/** Sends a signal to processes that may have ended meanwhile. */
export function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

function allProcesses(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}
