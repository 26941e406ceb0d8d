import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { BucardoError } from "../model/error.ts";

export type RcEntry = { readonly line: number; readonly name: string; readonly value: string };

/** `name = value` or `name : value`, one a line; `#` begins a comment line, blank lines are allowed. `bad`: numbers of lines that are neither. */
export function parseRc(text: string): { readonly entries: readonly RcEntry[]; readonly bad: readonly number[] } {
  const entries: RcEntry[] = [];
  const bad: number[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const match = /^([A-Za-z][\w-]*)\s*[=:]\s*(.*)$/.exec(line);
    if (match) entries.push({ line: index + 1, name: match[1] ?? "", value: match[2] ?? "" });
    else bad.push(index + 1);
  }
  return { entries, bad };
}

export type RcFile = { readonly path: string; readonly text: string; readonly mode: number };

export type RcPlaces = {
  readonly cwd: string;
  readonly home: string;
  /** Default: /etc/bucardorc. */
  readonly system?: string;
};

/**
 * The one rc file that counts: `wanted` if given, none if false, else the first that exists of ./.bucardorc, ~/.bucardorc and
 * that of the system. Throws bad-rc-file when it is missing (if wanted) or cannot be read: another file is never read in its place.
 */
export function findRc(wanted: string | false | undefined, { cwd, home, system = "/etc/bucardorc" }: RcPlaces): RcFile | null {
  if (wanted === false) return null;
  const path = wanted ?? [join(cwd, ".bucardorc"), join(home, ".bucardorc"), system].find((candidate) => existsSync(candidate));
  if (path === undefined) return null;
  try {
    return { path, text: readFileSync(path, "utf8"), mode: statSync(path).mode };
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new BucardoError("bad-rc-file", `the configuration file ${path} ${missing ? "does not exist" : "cannot be read"}`, {
      cause,
      advice: missing
        ? "Give the right path with --bucardorc."
        : `Make it readable for this user, or pass --bucardorc=FILE or --no-bucardorc.`,
    });
  }
}
