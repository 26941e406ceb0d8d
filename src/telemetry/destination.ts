import { closeSync, openSync, writeSync } from "node:fs";
import { BucardoError } from "../model/error.ts";

export type Destination = { write(line: string): void; reopen(): void; close(): void };

/** `stderr`, `stdout`, or the path of a file, which is appended to. */
export function openDestination(name: string): Destination {
  if (name === "stderr" || name === "stdout")
    return { write: (line) => void process[name].write(line), reopen: () => undefined, close: () => undefined };
  let file = openFile(name);
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
      file = openFile(name);
      closeSync(old);
    },
    close: () => closeSync(file),
  };
}

function openFile(path: string): number {
  try {
    return openSync(path, "a", 0o640);
  } catch (cause) {
    throw new BucardoError("bad-value", `the log file ${path} cannot be written`, {
      cause,
      advice: "Make the directory and let this user write there, or choose another with --log-destination.",
    });
  }
}
