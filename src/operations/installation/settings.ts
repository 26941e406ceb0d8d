import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { settings } from "../../config/setting.ts";
import type { Context } from "../context.ts";

/** The five numbers of the dialogue. */
export type InstallSettings = {
  /** Null: the local socket, or what PGHOST says. */
  readonly host: string | null;
  readonly port: number | null;
  /** Null: tried in turn, see `usersToTry`. */
  readonly user: string | null;
  readonly dbname: string;
  readonly piddir: string;
};

export function initialSettings({ config, env }: Context): InstallSettings {
  return {
    host: config.control.host ?? env["PGHOST"] ?? null,
    port: config.control.port ?? (env["PGPORT"] === undefined ? null : Number(env["PGPORT"])),
    user: config.options["dbuser"] === undefined ? (env["PGUSER"] ?? null) : config.control.user,
    dbname: config.control.dbname,
    piddir: config.piddir ?? defaultPiddir(env),
  };
}

/** Root has the directory of version 5; others a place that is theirs. */
function defaultPiddir(env: NodeJS.ProcessEnv): string {
  return process.getuid?.() === 0 ? settings.piddir.default : join(env["HOME"] ?? homedir(), ".bucardo", "run");
}

/** Who connects for the installation when nobody was named: the usual superuser, the system's user, the role of an earlier one. */
export function usersToTry(chosen: InstallSettings): string[] {
  return chosen.user === null ? [...new Set(["postgres", userInfo().username, "bucardo"])] : [chosen.user];
}
