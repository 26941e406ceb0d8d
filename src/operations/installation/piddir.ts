import { accessSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { BucardoError } from "../../model/error.ts";

/** Makes the directory when it is missing and proves that we may write to it. With `dryrun` only looks. */
export function preparePiddir(path: string, dryrun: boolean): void {
  const fail = (what: string, cause: unknown): never => {
    throw new BucardoError("bad-value", `The PID directory ${path} ${what}.`, {
      cause,
      advice: "Choose another with --piddir=DIR; nothing was changed.",
    });
  };
  const there = statSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isDirectory()) fail("is not a directory", null);
  if (there === undefined) {
    if (dryrun) return;
    try {
      makeFolder(path);
    } catch (error) {
      fail(`cannot be made (${(error as NodeJS.ErrnoException).code ?? ""})`, error);
    }
  }
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    fail("is not writable", error);
  }
}

/** With its parents. Not mkdir's own `recursive`, which never ends where the system answers ENOENT below an existing folder (/proc). */
function makeFolder(path: string): void {
  const parent = dirname(path);
  if (!existsSync(parent)) makeFolder(parent);
  mkdirSync(path);
}
