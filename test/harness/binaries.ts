import { randomUUID } from "node:crypto";
import { existsSync, lstatSync, readFileSync, readlinkSync, renameSync, symlinkSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { root } from "./root.ts";

export const majors = [10, 11, 12, 13, 14, 15, 16, 17, 18] as const;
export type Major = (typeof majors)[number];

export type Binaries = { readonly major: Major; readonly version: string; readonly initdb: string; readonly postgres: string };

const found = new Map<Major, Binaries>();

/** The programs of one major, as npm brought them (workspace test/servers), made runnable. */
export function binaries(major: Major): Binaries {
  const known = found.get(major);
  if (known) return known;
  const folder = [join(root, "node_modules"), join(root, "test", "servers", "node_modules")]
    .map((modules) => join(modules, `pg${major}`))
    .find((candidate) => existsSync(join(candidate, "native", "bin", "postgres")));
  if (!folder) throw new Error(`PostgreSQL ${major} is not installed here: run npm ci (packages exist for Linux on x64 only)`);
  hydrate(folder);
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
  const bin = join(folder, "native", "bin");
  const result = { major, version, initdb: join(bin, "initdb"), postgres: join(bin, "postgres") };
  found.set(major, result);
  return result;
}

/**
 * npm packages cannot hold symbolic links; the package lists them and makes them in an install script, which npm may refuse to run.
 * So we make them: each under a name of our own first, then renamed, so that several processes may do it at once.
 */
function hydrate(folder: string): void {
  const links = JSON.parse(readFileSync(join(folder, "native", "pg-symlinks.json"), "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(folder, target);
    const to = relative(dirname(path), join(folder, source));
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there?.isSymbolicLink() && readlinkSync(path) === to) continue;
    if (there && !there.isSymbolicLink()) continue; // a copy is as good
    const own = join(dirname(path), `.${basename(path)}.${process.pid}.${randomUUID()}`);
    symlinkSync(to, own);
    renameSync(own, path);
  }
}
