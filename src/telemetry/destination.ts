import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import { BucardoError } from "../model/error.ts";

export type Destination = { write(line: string): void; reopen(): void; close(): void };

const FILE = "log.bucardo";

/**
 * The file that a destination stands for: `log.bucardo` in a directory, else the path itself; null for what is no file.
 * A path is a directory when there is one, when it ends with a slash, or when its last part has no dot: a directory that is missing is an error, no file.
 */
export function logFileOf(destination: string, extension: string | null): string | null {
  if (["stderr", "stdout", "none", "syslog"].includes(destination)) return null;
  const path = isDirectory(destination) ? join(destination, FILE) : destination;
  return extension === null ? path : `${path}.${extension}`;
}

export function isDirectory(path: string): boolean {
  if (path.endsWith("/")) return true;
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? !basename(path).includes(".") : found.isDirectory();
}

export function openStream(name: "stderr" | "stdout"): Destination {
  return { write: (line) => void process[name].write(line), reopen: () => undefined, close: () => undefined };
}

/** A file, which is appended to. Throws BucardoError bad-value when it cannot be. */
export function openFile(path: string): Destination {
  let file = append(path);
  return {
    write(line) {
      try {
        writeSync(file, line);
      } catch {
        // A full disk must not end the daemon; the run's outcome is in the control database as well.
      }
    },
    reopen() {
      const old = file;
      file = append(path);
      closeSync(old);
    },
    close: () => closeSync(file),
  };
}

function append(path: string): number {
  try {
    return openSync(path, "a", 0o640);
  } catch (cause) {
    throw new BucardoError("bad-value", `the log file ${path} cannot be written`, {
      cause,
      advice: "Make the directory and let this user write there, or choose another with --log-destination.",
    });
  }
}
