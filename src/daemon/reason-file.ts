import { appendFile } from "node:fs/promises";
import { join } from "node:path";

/** Appends why somebody started or stopped the daemon, with the time, one line each. `name` is the setting reason_file, in piddir unless absolute. */
export async function appendReason(piddir: string, name: string, event: "start" | "stop" | "restart", reason: string): Promise<void> {
  const line = `${new Date().toISOString()} | ${event} | ${reason.replaceAll(/\s+/g, " ")}\n`;
  await appendFile(name.startsWith("/") ? name : join(piddir, name), line);
}
