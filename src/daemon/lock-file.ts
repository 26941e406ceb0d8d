import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { LockMode } from "../model/lock-mode.ts";
import { lockModeOf } from "../replicate/force-lock.ts";

/** `bucardo-force-lock-SYNC` in the pid directory: somebody wants the next run to lock its tables, in the mode that stands in it. */
export type LockFile = { readonly mode: LockMode; remove(): Promise<void> };

/** Null when there is none. */
export async function readLockFile(piddir: string | undefined, sync: string): Promise<LockFile | null> {
  if (piddir === undefined) return null;
  const path = join(piddir, `bucardo-force-lock-${sync}`);
  // Asked before every run, and hardly ever there.
  if (!existsSync(path)) return null;
  const text = await readFile(path, "utf8").catch(() => "");
  return { mode: lockModeOf(text), remove: () => rm(path, { force: true }) };
}
