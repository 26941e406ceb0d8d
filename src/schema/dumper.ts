import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { BucardoError } from "../model/error.ts";
import { BUILT_IN_MAJOR } from "./built-in-dump.ts";
import { findProgram, type DumpProgram } from "./program-dump.ts";

/** Who dumps. */
export type Dumper = { readonly kind: "built-in"; readonly major: number } | ({ readonly kind: "program" } & DumpProgram);

export type DumperRequest = {
  readonly db: string;
  readonly sourceVersion: number;
  readonly targetVersion: number;
  /** A path, or `built-in`. */
  readonly wanted?: string | undefined;
  readonly signal: AbortSignal;
};

/**
 * The wanted one, else pg_dump of the PATH or the built-in one: it must know the source's version, and should know the target's, whose reserved words
 * it then quotes. Errors: dump-too-old, bad-value (the wanted one cannot be run).
 */
export async function chooseDumper(request: DumperRequest): Promise<Dumper> {
  const { wanted, signal } = request;
  const builtIn = { kind: "built-in", major: BUILT_IN_MAJOR } as const;
  if (wanted === "built-in") return requireNewEnough([builtIn], request);
  const path = wanted ?? findOnPath("pg_dump");
  const program = path === null ? null : await findProgram(path, signal);
  if (wanted !== undefined && program === null)
    throw new BucardoError("bad-value", `${wanted} is no pg_dump that can be run here`, { advice: "Give the path of pg_dump." });
  const own = program === null ? [] : [{ kind: "program", ...program } as const];
  return requireNewEnough(wanted === undefined ? [...own, builtIn] : own, request);
}

/** The first that knows both versions, else the newest that knows the source. */
export function requireNewEnough(candidates: readonly Dumper[], { db, sourceVersion, targetVersion }: DumperRequest): Dumper {
  const source = Math.floor(sourceVersion / 10_000);
  const target = Math.floor(targetVersion / 10_000);
  const able = candidates
    .filter(({ major }) => major >= source)
    .toSorted((one, other) => Math.min(other.major, target) - Math.min(one.major, target));
  if (able[0] !== undefined) return able[0];
  const found = candidates.map((each) =>
    each.kind === "built-in" ? `the built-in one is ${each.major}` : `${each.path} is ${each.version}`,
  );
  throw new BucardoError(
    "dump-too-old",
    `database "${db}" is PostgreSQL ${source}, which needs pg_dump ${source} or newer: ${found.join(", ")}`,
    { db },
  );
}

function findOnPath(name: string): string | null {
  const paths = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return paths.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
