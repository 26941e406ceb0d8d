import { checkPrivileges, checkSource } from "../catalog/check-source.ts";
import { checkSequenceSource } from "../catalog/compare-sequence.ts";
import { compareDatabases, readDatabaseFacts, type DatabaseFacts } from "../catalog/database.ts";
import { readCandidates } from "../catalog/find.ts";
import { checkSourceDatabase, checkTargetDatabase } from "../catalog/privilege.ts";
import { readSequences } from "../catalog/sequence.ts";
import { BucardoError } from "../model/error.ts";
import { displayName, firstOf } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { quoteIdent } from "../postgres/quote.ts";
import { readIdentity } from "../replicate/identity.ts";
import { checkVersions } from "../schema/check-versions.ts";
import { chooseDumper } from "../schema/dumper.ts";
import { readInventory, type Inventory } from "../schema/inventory.ts";
import { surroundings } from "../schema/surroundings.ts";
import { userObjects } from "../schema/user-objects.ts";
import { openEndpoint, type Endpoint } from "./endpoint.ts";
import { estimate, type Estimate } from "./estimate.ts";
import { findingOf, note, stop, warning, type Finding } from "./finding.ts";
import { judge } from "./judge.ts";
import { mayCreateDatabase } from "./new-database.ts";
import { isSame } from "./open.ts";
import { selectRelations, unmatchedPatterns, type Selection } from "./selection.ts";
import { readMigration, type Migration, type MigrationOptions } from "./state.ts";

export type Plan = {
  readonly oldVersion: number;
  /** Null: the server was not reached. */
  readonly newVersion: number | null;
  readonly selection: Selection;
  readonly bytes: number;
  readonly findings: readonly Finding[];
  readonly estimate: Estimate | null;
};

type Ends = { readonly old: Endpoint; readonly new: Endpoint; readonly signal: AbortSignal };

/** Looks at both sides and tells everything at once that stands in the way of a move, or should be known. Changes nothing. */
export async function makePlan(ends: Ends, options: MigrationOptions): Promise<Plan> {
  await using old = await openEndpoint(ends.old, "plan", ends.signal);
  const inventory = await readInventory(old);
  const selection = await selectRelations(old, options);
  const begun: Begun = { old, facts: await readDatabaseFacts(old), under: await readMigration(old) };
  const young = await openNewOrWhy(ends);
  try {
    const findings = [
      ...(await oldFindings(begun, inventory, selection, options)),
      ...(young.session === null ? [young.why] : await newFindings(begun, young.session, options, ends)),
      ...judge(inventory, selection),
    ];
    return {
      oldVersion: old.serverVersion,
      newVersion: young.session?.serverVersion ?? null,
      selection,
      bytes: selection.tables.reduce((sum, table) => sum + table.bytes, 0),
      findings: findings.toSorted((one, other) => RANK[one.grade] - RANK[other.grade]),
      estimate: young.session === null ? null : await estimate(old, young.session, inventory, selection, options, ends.signal),
    };
  } finally {
    await young.session?.close();
  }
}

/** What both halves of the look need to know of the old side. */
type Begun = { readonly old: Session; readonly facts: DatabaseFacts; readonly under: Migration | null };

const RANK = { stop: 0, warning: 1, note: 2 } as const;

type Young = { readonly session: Session; readonly why?: undefined } | { readonly session: null; readonly why: Finding };

async function openNewOrWhy(ends: Ends): Promise<Young> {
  try {
    return { session: await openEndpoint(ends.new, "plan", ends.signal) };
  } catch (error) {
    if (!(error instanceof BucardoError)) throw error;
    if (error.details.sqlstate === "3D000")
      return {
        session: null,
        why: await judgeMissing(ends),
      };
    return { session: null, why: stop(error.message, error.advice) };
  }
}

/** The new database is not there: `start` makes it, if it may. */
async function judgeMissing({ new: end, signal }: Ends): Promise<Finding> {
  if (await mayCreateDatabase(end, signal))
    return note(`the database ${end.dbname} does not exist on the new side: \`migrate start\` makes it like the old one`);
  return stop(
    `the database ${end.dbname} does not exist on the new side, and our user may not create it`,
    `On new: create database ${quoteIdent(end.dbname)} template template0; as a user who may, and make ours its owner; or alter role ... createdb;`,
  );
}

async function oldFindings(
  { old, facts, under }: Begun,
  inventory: Inventory,
  selection: Selection,
  options: MigrationOptions,
): Promise<Finding[]> {
  const problems = selection.tables.flatMap((table) => {
    const shape = inventory.shapes.get(displayName(table));
    if (table.handling === "follow") return checkSource(table, shape, { db: "old", wanted: null });
    return shape === undefined ? [] : checkPrivileges(table, shape, "old");
  });
  const sequences = await readSequences(old, selection.sequences);
  const unreadable = selection.sequences.flatMap((name) => checkSequenceSource(name, sequences.get(displayName(name)), "old"));
  const unmatched = unmatchedPatterns(await readCandidates(old), options);
  return [
    ...(under === null
      ? []
      : [warning(`a move to ${under.targetPlace} is under way, at "${under.phase}"`, "`bucardo migrate status` tells how it stands.")]),
    ...unmatched.map(({ pattern, nearest }) =>
      stop(`nothing is called ${pattern}`, nearest === null ? "Check --only and --skip." : `Did you mean ${nearest}?`),
    ),
    ...[...checkSourceDatabase(facts), ...problems, ...unreadable].map(findingOf),
    ...(selection.tables.length === 0 ? [stop("no table takes part", "Check --only and --skip, and the database's name.")] : []),
  ];
}

async function newFindings({ old, facts: from, under }: Begun, young: Session, options: MigrationOptions, ends: Ends): Promise<Finding[]> {
  const [here, there] = [await readIdentity(old), await readIdentity(young)];
  if (isSame(here, there)) return [stop("both sides are the same database", "Name another one as --to.")];
  const to = await readDatabaseFacts(young);
  const objects = under === null ? await userObjects(young) : [];
  const around = await surroundings(old, young, options.roles, options.skipObjects);
  return [
    ...(objects.length === 0
      ? []
      : [stop(`the new database is not empty: ${firstOf(objects)}`, "Move into an empty database, or drop what is in the way.")]),
    ...[
      ...checkTargetDatabase(to),
      ...compareDatabases(from, to),
      ...(await checkVersions(old, young.serverVersion, { patterns: options, skip: options.skipObjects })),
      ...around.notes,
    ].map(findingOf),
    ...(await dumperFinding(old, young, options, ends.signal)),
  ];
}

async function dumperFinding(old: Session, young: Session, options: MigrationOptions, signal: AbortSignal): Promise<Finding[]> {
  try {
    const by = await chooseDumper({
      db: "old",
      sourceVersion: old.serverVersion,
      targetVersion: young.serverVersion,
      wanted: options.pgDump ?? undefined,
      signal,
    });
    return [note(`the structure is read by ${by.kind === "built-in" ? "the pg_dump that comes with this program" : by.path}`)];
  } catch (error) {
    if (!(error instanceof BucardoError)) throw error;
    return [stop(error.message, error.advice)];
  }
}
