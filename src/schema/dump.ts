/**
 * The structure of a database as objects that can be made one by one:
 *
 *   const dump = await dumpSchema({ source: connectOptions, session, targetVersion: 180004, signal });
 *   dump.objects          // SchemaObject[], in an order in which they can be made; `stage` says when (object.ts)
 *   dump.by               // { kind: "built-in" | "program", version, path }
 *   restoreStage(...)     // restore.ts
 *
 * `session` reads the catalogue and stays usable; pg_dump gets a connection of its own, opened with `source`, for as long as it runs.
 * Errors: dump-failed, dump-too-old, and those of connecting.
 */
import type { Problem } from "../model/error.ts";
import { interruptible } from "../postgres/cancel.ts";
import { connect, type ConnectOptions } from "../postgres/connect.ts";
import type { Session } from "../postgres/session.ts";
import { runBuiltIn } from "./built-in-dump.ts";
import { checkVersions } from "./check-versions.ts";
import { filterObjects, type SchemaPatterns } from "./filter.ts";
import { surroundings, type Surroundings } from "./surroundings.ts";
import { chooseDumper, type Dumper } from "./dumper.ts";
import { readEntries } from "./entry.ts";
import { readFacts } from "./facts.ts";
import type { SchemaObject } from "./object.ts";
import { runProgram } from "./program-dump.ts";
import { toObjects } from "./to-objects.ts";

export type DumpRequest = {
  readonly source: ConnectOptions;
  readonly session: Session;
  /** server_version_num of the other side: statements are written for it. */
  readonly targetVersion: number;
  /** Path of a pg_dump to use, or `built-in`; default: the best there is. */
  readonly pgDump?: string | undefined;
  /** Relations that come; default: all. What cannot be without those that stay behind stays too. */
  readonly patterns?: SchemaPatterns | undefined;
  /** The other side: roles that it lacks and settings of the database become objects too, and what differs is told. */
  readonly target?: Session | undefined;
  /** Objects that will be left out by choice, as of `restoreStage`: nothing of theirs is a problem. */
  readonly skip?: readonly string[] | undefined;
  /** False: roles are there already, or made by somebody else; default true. */
  readonly roles?: boolean | undefined;
  /** How long pg_dump waits for a table that is locked; 60 s. */
  readonly lockTimeoutMs?: number | undefined;
  readonly signal: AbortSignal;
};

export type SchemaDump = {
  readonly by: Dumper;
  readonly objects: readonly SchemaObject[];
  /** Warnings: what is left out or will differ. Errors: what cannot be made there; whoever goes on all the same meets them as failures. */
  readonly notes: readonly Problem[];
};

/** See above. */
export async function dumpSchema(request: DumpRequest): Promise<SchemaDump> {
  const { session, targetVersion, signal } = request;
  const by = await chooseDumper({ db: session.name, sourceVersion: session.serverVersion, targetVersion, wanted: request.pgDump, signal });
  const script = await runDump(request, by);
  const facts = await readFacts(session);
  const all = toObjects(readEntries(script), facts, { db: session.name, sourceVersion: session.serverVersion, targetVersion });
  const chosen = await filterObjects(session, all.objects, request.patterns ?? { only: [], skip: [] });
  const around =
    request.target === undefined ? nothing : await surroundings(session, request.target, request.roles !== false, request.skip);
  return {
    by,
    objects: [...around.before, ...chosen.objects, ...around.after],
    notes: [...(await checkVersions(session, targetVersion, request)), ...around.notes, ...all.notes, ...chosen.notes],
  };
}

const nothing: Surroundings = { before: [], after: [], notes: [] };

async function runDump({ source, signal, lockTimeoutMs = 60_000 }: DumpRequest, by: Dumper): Promise<string> {
  await using session = await connect({ ...source, signal });
  const args = [
    "--schema-only",
    "--verbose", // entries with their oids
    "--encoding=UTF8",
    "--no-password",
    "--no-subscriptions", // they would begin to replicate; the inventory tells of them
    "--exclude-schema=bucardo",
    `--lock-wait-timeout=${lockTimeoutMs}`,
    "--dbname=database",
  ];
  return await interruptible(signal, session, () =>
    by.kind === "built-in" ? runBuiltIn(session, args, signal) : runProgram(session, by.path, args, signal),
  );
}
