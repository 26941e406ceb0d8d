import { randomBytes } from "node:crypto";
import { linkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolder } from "./folder.ts";

/** A file for this user alone where there is none, and its folder; whole or not at all. Of several processes that make it at once one wins, the others get EEXIST. */
export function createPrivateFile(path: string, text: string): void {
  putInPlace(path, text, linkSync);
}

/** The same over one that may be there: whoever reads it meanwhile has the old one or the new one. */
export function replacePrivateFile(path: string, text: string): void {
  putInPlace(path, text, renameSync);
}

/** By a name of its own first, so that nobody reads half of it. */
function putInPlace(path: string, text: string, put: (draft: string, path: string) => void): void {
  makeFolder(dirname(path), 0o700);
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(draft, text, { flag: "wx", mode: 0o600, flush: true });
    put(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}
