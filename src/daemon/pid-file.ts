import { readFileSync } from "node:fs";
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * Who runs here. Line 1 the pid, 2 the command, 3 the time, 4 the process's start mark, by which a later process with the
 * same pid is told apart ("-" where the system does not give one).
 */
export type PidFile = { readonly pid: number; readonly command: string; readonly started: string; readonly mark: string };

export function pidFilePath(piddir: string): string {
  return join(piddir, "bucardo.mcp.pid");
}

/** Null when there is no file, or nothing in it that we wrote. */
export async function readPidFile(piddir: string): Promise<PidFile | null> {
  const text = await readFile(pidFilePath(piddir), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  const [pid = "", command = "", started = "", mark = "-"] = text?.split("\n") ?? [];
  return /^\d{1,10}$/.test(pid) ? { pid: Number(pid), command, started, mark: mark === "" ? "-" : mark } : null;
}

/** The pid file's process when it still lives: same pid and same start mark. */
export async function livingOwner(piddir: string): Promise<PidFile | null> {
  const file = await readPidFile(piddir);
  return file !== null && isAlive(file) ? file : null;
}

export function isAlive(of: Pick<PidFile, "pid" | "mark">): boolean {
  if (!exists(of.pid)) return false;
  const mark = startMark(of.pid);
  return of.mark === "-" || mark === null || mark === of.mark;
}

/** Takes the pid file for this process; the caller has made sure that no living owner is there. */
export async function writePidFile(piddir: string, command: string): Promise<void> {
  const path = pidFilePath(piddir);
  const draft = `${path}.${process.pid}`;
  await using file = await open(draft, "w", 0o644);
  await file.writeFile([process.pid, command, new Date().toISOString(), startMark(process.pid) ?? "-", ""].join("\n"));
  await rename(draft, path);
}

/** Removes the pid file if it is ours. */
export async function removePidFile(piddir: string): Promise<void> {
  const file = await readPidFile(piddir);
  if (file?.pid === process.pid) await rm(pidFilePath(piddir), { force: true });
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Ticks since boot when the process started, by /proc; null where there is no /proc. */
function startMark(pid: number): string | null {
  return statFields(pid)?.[19] ?? null;
}

function isZombie(pid: number): boolean {
  const state = statFields(pid)?.[0];
  return state === "Z" || state === "X";
}

/** Fields of /proc/PID/stat from the third on: the second, the command in brackets, may hold anything. */
function statFields(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}
