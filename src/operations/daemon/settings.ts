import { resolveSettings, type Settings } from "../../config/setting.ts";
import { readSettings } from "../../control/setting.ts";
import type { Context } from "../context.ts";

/** The settings as the daemon of this command line would have them. */
export async function daemonSettingsOf(context: Context): Promise<Settings> {
  return resolveSettings(await readSettings(await context.control()), context.config.overrides);
}
