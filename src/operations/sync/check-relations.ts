import { checkSource } from "../../catalog/check-source.ts";
import { compareTables } from "../../catalog/compare.ts";
import { checkSequenceSource, compareSequences } from "../../catalog/compare-sequence.ts";
import { nearestRelation, readCandidates, type Candidate } from "../../catalog/find.ts";
import { readSequences, type SequenceShape } from "../../catalog/sequence.ts";
import { readTables, type TableShape } from "../../catalog/table.ts";
import type { CaptureRelation } from "../../capture/request.ts";
import type { Problem } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import { carriesChanges, sourcesOf, targetsOf, type Relation, type SyncDefinition } from "../../model/sync.ts";
import { nameOn, relationsOn, termsOf } from "../../model/terms.ts";
import type { Session } from "../../postgres/session.ts";
import { checkTable } from "./check-table.ts";

/** What one database of the sync has of its relations. */
type Found = {
  readonly db: string;
  readonly tables: ReadonlyMap<string, TableShape>;
  readonly sequences: ReadonlyMap<string, SequenceShape>;
  /** Read only where something is missing: what it may have been meant to be. */
  readonly others: readonly Candidate[];
};

/** Every relation of the sync on its source and on all targets that answered; what capture needs of those that are in order. */
export async function checkRelations(
  sync: SyncDefinition,
  source: Session,
  sessions: ReadonlyMap<string, Session>,
  problems: Problem[],
): Promise<CaptureRelation[]> {
  const here = await find(sync, source);
  const targets = targetsOf(sync).flatMap((db) => sessions.get(db) ?? []);
  const there = await Promise.all(targets.map((session) => find(sync, session)));
  const otherSources = there.filter(({ db }) => sourcesOf(sync).includes(db));
  const relations: CaptureRelation[] = [];
  for (const relation of sync.relations) {
    const strict = sync.strictChecking && relation.strictChecking !== false;
    const { key, problems: own } =
      relation.kind === "table"
        ? await tableOf(sync, relation, strict, source, here, there)
        : sequenceOf(sync, relation, strict, here, there);
    problems.push(...own);
    for (const other of otherSources) problems.push(...wayHome(sync, { relation, strict, key }, other, here, own));
    const name = nameOn(sync, relation, source.name);
    if (key !== null || relation.kind === "sequence")
      relations.push({ kind: relation.kind, name, key, autokick: relation.autokick ?? sync.autokick });
  }
  return relations;
}

async function find(sync: SyncDefinition, session: Session): Promise<Found> {
  const named = relationsOn(sync, session.name);
  const tables = await readTables(session, ofKind(named, "table"));
  const sequences = await readSequences(session, ofKind(named, "sequence"));
  const complete = tables.size + sequences.size === new Set(named.map(displayName)).size;
  return { db: session.name, tables, sequences, others: complete ? [] : strangers(await readCandidates(session), named) };
}

function ofKind(relations: readonly Relation[], kind: Relation["kind"]): Relation[] {
  return relations.filter((relation) => relation.kind === kind);
}

type Checked = { readonly key: readonly string[] | null; readonly problems: readonly Problem[] };

async function tableOf(
  sync: SyncDefinition,
  relation: Relation,
  strict: boolean,
  source: Session,
  here: Found,
  there: readonly Found[],
): Promise<Checked> {
  const own = { ...relation, ...nameOn(sync, relation, here.db) };
  const targets = there.map((target) => {
    const name = nameOn(sync, relation, target.db);
    const shape = target.tables.get(displayName(name));
    return { db: target.db, shape, hint: hintFor({ ...relation, ...name }, target), terms: termsOf(sync, relation, here.db, target.db) };
  });
  return checkTable({
    captured: carriesChanges(sync),
    session: source,
    relation: own,
    strict,
    source: { db: here.db, shape: here.tables.get(displayName(own)) },
    targets,
  });
}

function sequenceOf(sync: SyncDefinition, relation: Relation, strict: boolean, here: Found, there: readonly Found[]): Checked {
  const named = { ...relation, ...nameOn(sync, relation, here.db) };
  const own = here.sequences.get(displayName(named));
  const problems = checkSequenceSource(named, own, here.db);
  if (own === undefined) return { key: null, problems };
  const compared = there.flatMap((target) => {
    const name = nameOn(sync, relation, target.db);
    return compareSequences(own, target.sequences.get(displayName(name)), {
      strict,
      db: target.db,
      hint: hintFor({ ...relation, ...name }, target),
    });
  });
  return { key: null, problems: [...problems, ...compared] };
}

/**
 * What another source has must be captured there as well, and fit into the first one, which gets its changes. Nothing where the way there has errors, which
 * come first; and of the way back errors only: other differences are told already.
 */
function wayHome(
  sync: SyncDefinition,
  { relation, strict, key }: { readonly relation: Relation; readonly strict: boolean; readonly key: readonly string[] | null },
  other: Found,
  first: Found,
  told: readonly Problem[],
): Problem[] {
  const [name, home] = [displayName(nameOn(sync, relation, other.db)), displayName(nameOn(sync, relation, first.db))];
  if (told.some(({ grade, db }) => grade === "error" && db === other.db)) return [];
  const problems: Problem[] = [];
  const [table, sequence] = [other.tables.get(name), other.sequences.get(name)];
  if (table !== undefined && key !== null)
    problems.push(
      ...checkSource(table, table, { db: other.db, wanted: key }),
      ...fromThere(other.db, compareTables(table, first.tables.get(home), { strict, key, db: first.db })),
    );
  if (sequence !== undefined)
    problems.push(
      ...checkSequenceSource(sequence, sequence, other.db),
      ...fromThere(other.db, compareSequences(sequence, first.sequences.get(home), { strict, db: first.db })),
    );
  return problems.filter(({ grade }) => grade === "error");
}

/** The source of these findings is not the first one. */
function fromThere(db: string, problems: readonly Problem[]): Problem[] {
  return problems.map((problem) => ({ ...problem, what: `for rows of ${db} as the source: ${problem.what}` }));
}

/** What the sync does not name already: a missing table was hardly meant to be one of its neighbours. */
function strangers(candidates: readonly Candidate[], relations: readonly Relation[]): Candidate[] {
  const named = new Set(relations.map(displayName));
  return candidates.filter((candidate) => !named.has(displayName(candidate)));
}

/** A name that the missing relation may have been meant to be. */
function hintFor(relation: Relation, { others }: Found): string | null {
  return nearestRelation(
    displayName(relation),
    others.filter((candidate) => candidate.kind === relation.kind),
  );
}
