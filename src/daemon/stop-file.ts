import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A daemon that finds this file in its pid directory finishes its runs and ends; `start` removes it. `name` is the setting stopfile. */
export async function createStopFile(piddir: string, name: string, reason: string): Promise<string> {
  const path = join(piddir, name);
  await writeFile(path, `Stopped by ${process.pid} at ${new Date().toISOString()}${reason === "" ? "" : `: ${reason}`}\n`);
  return path;
}

export async function removeStopFile(piddir: string, name: string): Promise<void> {
  await rm(join(piddir, name), { force: true });
}

export function stopFileExists(piddir: string, name: string): boolean {
  return existsSync(join(piddir, name));
}
