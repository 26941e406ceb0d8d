import { resolve } from "node:path";
import { parseSetting, settings } from "../../config/setting.ts";
import { readSettings } from "../../control/setting.ts";
import type { Context } from "../context.ts";

/**
 * Directory of pid file, stop file and reasons, absolute: told to this process, else the setting of the control database.
 * `reachable` false: the control database is not asked.
 */
export async function piddirOf(context: Context, reachable = true): Promise<string> {
  if (context.config.piddir !== null) return resolve(context.cwd, context.config.piddir);
  const stored = reachable ? (await readSettings(await context.control())).piddir : undefined;
  return resolve(context.cwd, parseSetting("piddir", stored ?? settings.piddir.default));
}
