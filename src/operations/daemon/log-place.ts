import { accessSync, constants } from "node:fs";
import { resolve } from "node:path";
import type { Config } from "../../config/load.ts";
import { logFileOf } from "../../telemetry/destination.ts";

const USUAL = "/var/log/bucardo";

/**
 * Where the daemon logs: what it was told (paths made absolute), else /var/log/bucardo when this user can write there,
 * else beside the pid file.
 */
export function logDestinations(config: Config, cwd: string, piddir: string): string[] {
  const told = config.log.destinations;
  if (told.length > 0)
    return told.map((one) =>
      ["stderr", "stdout", "none", "syslog"].includes(one) ? one : `${resolve(cwd, one)}${one.endsWith("/") ? "/" : ""}`,
    );
  return [isWritable(USUAL) ? USUAL : piddir];
}

/** The same for people: the paths of files. */
export function describeDestinations(destinations: readonly string[], extension: string | null): string[] {
  return destinations.map((one) => logFileOf(one, extension) ?? one);
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
