import { appendFile } from "node:fs/promises";
import { join } from "node:path";

/** Appends why somebody started or stopped the daemon, with the time; kept beside the pid file, one line each. */
export async function appendReason(piddir: string, event: "start" | "stop" | "restart", reason: string): Promise<void> {
  const line = `${new Date().toISOString()} | ${event} | ${reason.replaceAll(/\s+/g, " ")}\n`;
  await appendFile(join(piddir, "bucardo.restart.reason.txt"), line);
}
