import { accessSync, constants, statSync } from "node:fs";
import { makeFolder } from "../../base/folder.ts";
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
