import { accessSync, constants } from "node:fs";
import { join, resolve } from "node:path";
import type { Config } from "../../config/load.ts";

const USUAL = "/var/log/bucardo";

/**
 * Where the daemon logs: what it was told (directories made absolute), else /var/log/bucardo when this user can write there,
 * else beside the pid file.
 */
export function logDestinations(config: Config, cwd: string, piddir: string): string[] {
  const told = config.log.destinations;
  if (told.length > 0) return told.map((one) => (["stderr", "stdout", "none", "syslog"].includes(one) ? one : resolve(cwd, one)));
  return [isWritable(USUAL) ? USUAL : piddir];
}

/** The same for people: the paths of files. */
export function describeDestinations(destinations: readonly string[], extension: string | null): string[] {
  return destinations.map((one) =>
    one.startsWith("/") ? join(one, extension === null ? "log.bucardo" : `log.bucardo.${extension}`) : one,
  );
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
