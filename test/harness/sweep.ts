import { randomUUID } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheDir, runDir } from "./root.ts";
import { processesIn } from "./watchdog.ts";

const hour = 3_600_000;

/** Removes folders of servers that nobody runs any more: what a machine that lost its power leaves, as watchdogs see to all the rest. */
export async function sweep(): Promise<void> {
  for (const name of list(runDir)) {
    const dir = join(runDir, name);
    const age = Date.now() - (statSync(dir, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age < hour || processesIn(dir).length > 0) continue;
    const trash = join(cacheDir, `.trash-${randomUUID()}`);
    await rename(dir, trash).catch(() => undefined); // one of several sweepers wins
    await rm(trash, { recursive: true, force: true });
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
