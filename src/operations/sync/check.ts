import type { CaptureRelation } from "../../capture/request.ts";
import { parseStrategy, STRATEGY_WORDS } from "../../model/conflict.ts";
import { BucardoError, type Problem } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import { filesOf, sourcesOf, type Database, type SyncDefinition } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import type { Context } from "../context.ts";
import { connectionProblem } from "../db/draft.ts";
import { filesProblem } from "../db/files.ts";
import { databaseProblems } from "./check-database.ts";
import { checkRelations } from "./check-relations.ts";
import { samePlaceProblems } from "./same-place.ts";

/** What a sync is worth, as far as can be seen without running it. */
export type SyncCheck = {
  readonly sync: SyncDefinition;
  /** Errors and warnings, of all databases and tables at once. */
  readonly problems: readonly Problem[];
  /** What capture needs to know of each relation; complete when there is no error. */
  readonly relations: readonly CaptureRelation[];
};

/** Connects to every database of the sync and compares what is there with what it declares. Changes nothing. */
export async function checkSync(context: Context, sync: SyncDefinition, databases: readonly Database[]): Promise<SyncCheck> {
  const problems = [...checkMembers(sync, databases), ...(await checkFiles(sync, databases))];
  const sessions = await connectMembers(context, sync, databases, problems);
  problems.push(...(await samePlaceProblems(sync, sessions)));
  const source = sessions.get(sourcesOf(sync)[0] ?? "");
  if (source === undefined) return { sync, problems, relations: [] };
  problems.push(...(await databaseProblems(sync, sessions)));
  const relations = await checkRelations(sync, source, sessions, problems);
  problems.push(...(await ghostProblems(sync, source, sessions)));
  return { sync, problems, relations };
}

/** What would stop a ghost table if it were replicated stops nobody as long as it is not. */
async function ghostProblems(sync: SyncDefinition, source: Session, sessions: ReadonlyMap<string, Session>): Promise<Problem[]> {
  const problems: Problem[] = [];
  if ((sync.ghosts ?? []).length > 0) await checkRelations({ ...sync, relations: sync.ghosts ?? [] }, source, sessions, problems);
  return problems.map((problem) => ({ ...problem, grade: "warning" }));
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.grade === "error");
}

/** All problems of one sync as one error. */
export function invalidSync(sync: { readonly name: string }, problems: readonly Problem[]): BucardoError {
  const count = problems.filter((problem) => problem.grade === "error").length;
  return new BucardoError("sync-invalid", `Sync "${sync.name}" cannot run: ${count === 1 ? "1 problem" : `${count} problems`}.`, {
    sync: sync.name,
    problems,
    advice: "Nothing was changed.",
  });
}

function checkMembers(sync: SyncDefinition, databases: readonly Database[]): Problem[] {
  const problems: Problem[] = [];
  const wrong = (what: string, remedy: string, db?: string): void =>
    void problems.push({ grade: "error", ...(db === undefined ? {} : { db }), what, remedy });
  const sources = sourcesOf(sync);
  if (sources.length === 0) wrong("no database of the sync is a source", "Give one the role: A:source.");
  problems.push(...strategyProblems(sync), ...customProblems(sync));
  if (sources.length <= 1 && !sync.members.some((member) => member.role !== "source"))
    wrong("no database of the sync is a target", "Give one the role: B:target.");
  for (const member of sync.members) {
    const database = databases.find((each) => each.name === member.db);
    if (database?.status === "inactive" && member.role === "source")
      wrong("the source is inactive", `\`bucardo update db ${member.db} status=active\`.`, member.db);
  }
  if (sync.relations.length === 0)
    problems.push({
      grade: "warning",
      what: `sync "${sync.name}" has no tables yet`,
      remedy: `\`bucardo add table NAME relgroup=${sync.relgroup}\`.`,
    });
  return problems;
}

/** Members that are files: what they cannot be, and what the daemon will meet. Whether it meets it is not certain, as it may be on another host. */
async function checkFiles(sync: SyncDefinition, databases: readonly Database[]): Promise<Problem[]> {
  const problems: Problem[] = [];
  const places = new Map<string, string>();
  for (const { db, role } of sync.members) {
    const database = databases.find(({ name }) => name === db);
    const files = database === undefined ? null : filesOf(database);
    if (files === null) continue;
    const wrong = (what: string, remedy: string, grade: Problem["grade"] = "error"): void =>
      void problems.push({ grade, db, what, remedy });
    if (role !== "target")
      wrong(
        `it is files, which cannot have the role ${role}`,
        `${db}:target; for whole copies \`update sync ${sync.name} onetimecopy=1\`.`,
      );
    const other = places.get(files.directory);
    if (other !== undefined) wrong(`its files would be in the directory of ${other}`, `\`bucardo update db ${db} dir=...\`.`);
    places.set(files.directory, db);
    const problem = await filesProblem(database!);
    if (problem !== null) wrong(problem, "The daemon needs it, on its host.", "warning");
  }
  return problems;
}

/** Active members that answer, by name. */
async function connectMembers(
  context: Context,
  sync: SyncDefinition,
  databases: readonly Database[],
  problems: Problem[],
): Promise<Map<string, Session>> {
  const sessions = new Map<string, Session>();
  await Promise.all(
    sync.members.map(async ({ db }) => {
      const database = databases.find((each) => each.name === db);
      if (database === undefined || database.status === "inactive" || filesOf(database) !== null) return;
      try {
        sessions.set(db, await context.connectTo(database));
      } catch (error) {
        problems.push(connectionProblem(db, error));
      }
    }),
  );
  return sessions;
}

/** Sources exchange whole rows, or nobody could say which is which. */
function customProblems(sync: SyncDefinition): Problem[] {
  const relations = new Map(sync.relations.map((relation) => [relation.id, relation]));
  return (sync.customs ?? []).flatMap(({ id, relation, kind, db }): Problem[] => {
    const table = relations.get(relation);
    if (table === undefined || kind === "name" || db === null || !sourcesOf(sync).includes(db)) return [];
    const noun = kind === "columns" ? "customcols" : "rowfilter";
    const what = `${db} is a source: columns and rows are chosen for targets`;
    return [{ grade: "error", db, table: displayName(table), what, remedy: `\`bucardo remove ${noun} ${id}\`.` }];
  });
}

/** Strategies that are none, of the sync and of its tables. */
function strategyProblems(sync: SyncDefinition): Problem[] {
  const known = sync.members.map(({ db }) => db);
  const wrong = (text: string, table?: string): Problem => ({
    grade: "error",
    ...(table === undefined ? {} : { table }),
    what: `"${text}" is no conflict strategy`,
    remedy: `One of ${STRATEGY_WORDS.join(", ")}, or databases of the sync in the order in which they win: ${sourcesOf(sync).join(",")}.`,
  });
  return [
    ...(parseStrategy(sync.conflictStrategy, known) === null ? [wrong(sync.conflictStrategy)] : []),
    ...sync.relations.flatMap((relation) =>
      relation.conflictStrategy === null || parseStrategy(relation.conflictStrategy, known) !== null
        ? []
        : [wrong(relation.conflictStrategy, displayName(relation))],
    ),
  ];
}
