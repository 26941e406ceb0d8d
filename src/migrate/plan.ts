import { checkPrivileges, checkSource } from "../catalog/check-source.ts";
import { checkWayBack } from "../catalog/check-way-back.ts";
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
import { isOneDatabase } from "../replicate/one-database.ts";
import { checkVersions } from "../schema/check-versions.ts";
import { chooseDumper } from "../schema/dumper.ts";
import { readInventory, type Inventory } from "../schema/inventory.ts";
import { checkDumpRights, checkLargeObjectRights } from "../schema/rights.ts";
import { surroundings } from "../schema/surroundings.ts";
import { userObjects } from "../schema/user-objects.ts";
import { isDecided } from "./decided.ts";
import { describeDrift, readDrift } from "./drift.ts";
import { openEndpoint, type Endpoint } from "./endpoint.ts";
import { estimate, type Estimate } from "./estimate.ts";
import { findingOf, note, stop, warning, type Finding } from "./finding.ts";
import { judge } from "./judge.ts";
import { mayCreateDatabase, openMaintenance } from "./new-database.ts";
import { nextVerb } from "./next.ts";
import { isSame } from "./open.ts";
import type { Phase } from "./phase.ts";
import { selectRelations, unmatchedPatterns, type Selection } from "./selection.ts";
import { readMigration, type Migration, type MigrationOptions } from "./state.ts";

export type Plan = {
  readonly oldVersion: number;
  /** Null: the server was not reached. */
  readonly newVersion: number | null;
  /** The move that is under way; null: none. */
  readonly under: { readonly to: string; readonly phase: Phase; readonly next: ReturnType<typeof nextVerb> } | null;
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
  const young = await openYoung(ends);
  try {
    const there = young.session === null ? null : await readDatabaseFacts(young.session);
    const findings = [
      ...(await oldFindings(begun, inventory, selection, options)),
      ...(await driftFindings(begun)),
      ...young.findings,
      ...(young.session === null || there === null
        ? []
        : await newFindings(begun, { ...young, session: young.session, facts: there }, options, ends)),
      ...judge(inventory, selection),
    ];
    const job = { old, inventory, selection, options, signal: ends.signal };
    return {
      oldVersion: old.serverVersion,
      newVersion: young.session?.serverVersion ?? null,
      under: begun.under === null ? null : await describeUnder(old, begun.under),
      selection,
      bytes: selection.tables.reduce((sum, table) => sum + table.bytes, 0),
      findings: findings.toSorted((one, other) => RANK[one.grade] - RANK[other.grade]),
      estimate: young.session !== null && there?.temporary === true ? await estimate({ ...job, young: young.session }) : null,
    };
  } finally {
    await young.session?.close();
  }
}

/** What both halves of the look need to know of the old side. */
type Begun = { readonly old: Session; readonly facts: DatabaseFacts; readonly under: Migration | null };

const RANK = { stop: 0, warning: 1, note: 2 } as const;

async function describeUnder(old: Session, under: Migration): Promise<Plan["under"]> {
  const decided = under.openSide === "old" && (await isDecided(old));
  const drifted = under.openSide === "old" && !decided && (await readDrift(old, under)) !== null;
  return { to: under.targetPlace, phase: under.phase, next: drifted ? "start" : nextVerb(under, decided) };
}

async function driftFindings({ old, under }: Begun): Promise<Finding[]> {
  const drift = under === null || under.openSide === "new" ? null : await readDrift(old, under);
  if (drift === null) return [];
  return [
    warning(
      `tables changed since the move began: ${describeDrift(drift)}`,
      "`bucardo migrate start` takes them up; everything else stays as it is.",
    ),
  ];
}

/** `missing`: the database is not there, and the session is on another one of its server. */
type Young = { readonly session: Session | null; readonly missing: boolean; readonly findings: readonly Finding[] };

async function openYoung(ends: Ends): Promise<Young> {
  try {
    return { session: await openEndpoint(ends.new, "plan", ends.signal), missing: false, findings: [] };
  } catch (error) {
    if (!(error instanceof BucardoError)) throw error;
    if (error.details.sqlstate === "3D000") return await openMissing(ends);
    return { session: null, missing: false, findings: [stop(error.message, error.advice)] };
  }
}

/** The new database is not there: `start` makes it, if it may. Everything else can be asked of its server. */
async function openMissing({ new: end, signal }: Ends): Promise<Young> {
  try {
    const session = await openMaintenance(end, signal);
    return { session, missing: true, findings: [await judgeMissing(session, end.dbname)] };
  } catch (error) {
    if (!(error instanceof BucardoError)) throw error;
    return { session: null, missing: true, findings: [stop(error.message, error.advice)] };
  }
}

async function judgeMissing(session: Session, name: string): Promise<Finding> {
  if (await mayCreateDatabase(session))
    return note(`the database ${name} does not exist on the new side: \`migrate start\` makes it like the old one`);
  return stop(
    `the database ${name} does not exist on the new side, and our user may not create it`,
    `On new: create database ${quoteIdent(name)} template template0; as a user who may, and make ours its owner; or alter role ... createdb;`,
  );
}

async function oldFindings(
  { old, facts }: Begun,
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
  const shapes = selection.tables.flatMap((table) => inventory.shapes.get(displayName(table)) ?? []);
  return [
    ...unmatched.map(({ pattern, nearest }) =>
      stop(`nothing is called ${pattern}`, nearest === null ? "Check --only and --skip." : `Did you mean ${nearest}?`),
    ),
    ...[
      ...checkSourceDatabase(facts),
      ...(await checkDumpRights(old, new Set(selection.tables.map(displayName)))),
      ...problems,
      ...unreadable,
      ...(await checkLargeObjectRights(old)),
    ].map(findingOf),
    ...checkWayBack(facts, shapes, [...sequences.values()]).map(({ what, remedy }) =>
      warning(`no way back: ${what} on the old side`, `On old: ${remedy} Or cut over with --no-way-back.`),
    ),
    ...(selection.tables.length === 0 ? [stop("no table takes part", "Check --only and --skip, and the database's name.")] : []),
  ];
}

type Reached = { readonly session: Session; readonly missing: boolean; readonly facts: DatabaseFacts };

async function newFindings(begun: Begun, reached: Reached, options: MigrationOptions, ends: Ends): Promise<Finding[]> {
  const { old } = begun;
  const { session, facts, missing } = reached;
  const around = await surroundings(old, session, options.roles, options.skipObjects);
  return [
    ...(missing ? missingFindings(begun, ends) : await databaseFindings(begun, session, ends)),
    ...[
      // Who makes a database may do there what its owner may.
      ...checkTargetDatabase(missing ? { ...facts, temporary: true } : facts),
      ...(missing ? [] : compareDatabases(begun.facts, facts)),
      ...(await checkVersions(old, session.serverVersion, { patterns: options, skip: options.skipObjects })),
      ...around.notes,
    ].map(findingOf),
    ...(await dumperFinding(old, session, options, ends.signal)),
  ];
}

function missingFindings({ under }: Begun, { new: end }: Ends): Finding[] {
  if (under === null) return [];
  return [otherTarget(under, end)];
}

async function databaseFindings({ old, under }: Begun, young: Session, { new: end }: Ends): Promise<Finding[]> {
  const [, there] = [await readIdentity(old), await readIdentity(young)];
  if (await isOneDatabase(old, young)) return [stop("both sides are the same database", "Name another one as --to.")];
  if (under !== null) return isSame(under.targetIdentity, there) ? [] : [otherTarget(under, end)];
  const objects = await userObjects(young);
  if (objects.length === 0) return [];
  return [stop(`the new database is not empty: ${firstOf(objects)}`, "Move into an empty database, or drop what is in the way.")];
}

function otherTarget({ targetPlace }: Migration, { place }: Endpoint): Finding {
  return stop(
    `this database is being moved to ${targetPlace}; ${place} is another one`,
    `Go on with --to ${targetPlace}, or give that move up first: \`bucardo migrate abort\`.`,
  );
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
