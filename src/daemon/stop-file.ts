import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A daemon that finds this file in its pid directory finishes its runs and ends; `start` removes it. */
export function stopFilePath(piddir: string): string {
  return join(piddir, "fullstopbucardo");
}

export async function createStopFile(piddir: string, reason: string): Promise<string> {
  const path = stopFilePath(piddir);
  await writeFile(path, `Stopped by ${process.pid} at ${new Date().toISOString()}${reason === "" ? "" : `: ${reason}`}\n`);
  return path;
}

export async function removeStopFile(piddir: string): Promise<void> {
  await rm(stopFilePath(piddir), { force: true });
}

export function stopFileExists(piddir: string): boolean {
  return existsSync(stopFilePath(piddir));
}
