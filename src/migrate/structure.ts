import { isSuperuser } from "../capture/schema.ts";
import { BucardoError, type Problem } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { describeObject, type SchemaObject, type Stage } from "../schema/object.ts";
import { restoreFailure, restoreStage, type RestoreReport } from "../schema/restore.ts";
import { openNew, type Move, type PhaseResult } from "./move.ts";
import { readObjects, rememberObject } from "./state.ts";

/** Tables, types, functions, and the roles that own them: all that rows need, nothing that slows a copy down. */
export function makeStructure(move: Move): Promise<PhaseResult> {
  return makeStages(move, ["role", "pre"]);
}

/** What names rows in runs, and nothing else that is unique: a value may stand in two pieces of the copy (hazard 12). */
export function makeKeys(move: Move): Promise<PhaseResult> {
  return makeStages(move, ["key"]);
}

/** Everything else, once the rows are those of one moment. */
export function makeConstraints(move: Move): Promise<PhaseResult> {
  return makeStages(move, [
    "unique",
    "index",
    "check",
    "foreign-key",
    "validate",
    "late",
    "trigger",
    "statistics",
    "comment",
    "grant",
    "publication",
    "event-trigger",
    "setting",
  ]);
}

/** Errors: restore-failed, with every object of the stage that could not be made; what does not depend on it was made. */
export async function makeStages(move: Move, stages: readonly Stage[]): Promise<PhaseResult> {
  const { objects, notes, by } = await move.structure();
  const mine = objects.filter((object) => stages.includes(object.stage));
  const known = await readObjects(move.state);
  const done = new Set(known.flatMap(({ object, outcome }) => (outcome === "begun" ? [] : [object])));
  // Chosen before the structure is made: only where the move has taken up other tables.
  const resumed = known.length > 0 || move.migration.relations !== null;
  await using session = await openNew(move, "structure");
  // Owners and grants may be as on the old side; otherwise everything belongs to the user who connects.
  const owners = await isSuperuser(session);
  if (stages.includes("pre")) refuseOrTell(move, notes);
  const counts = { made: 0, before: 0, skipped: [] as string[] };
  for (const stage of stages) {
    const report = await restoreStage(move.new.options, objects, {
      stage,
      jobs: move.migration.options.jobs,
      signal: move.signal,
      done,
      resumed,
      owners,
      skip: move.migration.options.skipObjects,
      settings: stage === "index" || stage === "unique" || stage === "key" ? await indexSettings(session) : {},
      announce: stage === "role" ? ({ id }) => rememberObject(move.state, { object: id, outcome: "begun", note: null }) : undefined,
      remember: (object, outcome, note) => rememberObject(move.state, { object: object.id, outcome, note }),
      onProgress: (progress) => tell(move, mine, counts, progress.done, progress.object),
    });
    add(counts, report);
    if (report.failed.length > 0) throw restoreFailure(report, "new");
  }
  for (const id of counts.skipped) move.onMessage(`left out, as told: ${id}`);
  return { objects: counts.made + counts.before, by: by.kind === "built-in" ? "built-in pg_dump" : "pg_dump", skipped: counts.skipped };
}

/** What the new side cannot hold is refused before anything is made there. Errors: schema-mismatch. */
function refuseOrTell(move: Move, notes: readonly Problem[]): void {
  const errors = notes.filter(({ grade }) => grade === "error");
  const [first] = errors;
  if (first !== undefined)
    throw new BucardoError("schema-mismatch", `${first.what}${errors.length > 1 ? ` (and ${errors.length - 1} more)` : ""}`, {
      db: "new",
      advice: first.remedy,
      problems: errors,
    });
  for (const { what, remedy } of notes) move.onMessage(remedy === "" ? what : `${what}. ${remedy}`);
}

type Counts = { made: number; before: number; readonly skipped: string[] };

function tell(move: Move, mine: readonly SchemaObject[], counts: Counts, done: number, object: SchemaObject): void {
  move.report({
    doing: describeObject(object),
    done: counts.made + counts.before + counts.skipped.length + done,
    expected: mine.length,
    unit: "objects",
  });
}

function add(counts: Counts, report: RestoreReport): void {
  counts.made += report.made.length;
  counts.before += report.before.length;
  counts.skipped.push(...report.skipped);
}

/** Of the server's memory for maintenance we take more than the default of 64 MB when nobody has set it. */
async function indexSettings(session: Session): Promise<Readonly<Record<string, string>>> {
  const { own } = await session.one<{ own: boolean }>(
    sql("migrate.maintenance-memory", "select source = 'default' as own from pg_catalog.pg_settings where name = 'maintenance_work_mem'"),
  );
  return own ? { maintenance_work_mem: "256MB" } : {};
}
