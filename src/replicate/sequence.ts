import { chunks } from "../base/chunks.ts";
import type { SequencePolicy } from "../model/conflict.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { BucardoError } from "../model/error.ts";
import { checkSequenceSource, compareSequences } from "../catalog/compare-sequence.ts";
import { readSequences, type SequenceShape } from "../catalog/sequence.ts";
import type { RunDefinition } from "./definition.ts";
import { quoteLiteral, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** A sequence of the source, and what the target calls it. */
export type Carried = QualifiedName & { readonly there?: QualifiedName; readonly strict?: boolean };

/** Where a sequence stands. */
export type Position = { readonly name: string; readonly last_value: string; readonly is_called: boolean };

/**
 * Brings sequences to where the source's are, attributes included; returns how many moved. Called after the run's snapshot was taken and before the
 * target commits: a sequence is read as of now, so it is never behind the rows that came with the snapshot (hazard 24). setval is not
 * transactional: after a failed run a sequence may be ahead, which is harmless. Errors: schema-mismatch with all problems of all sequences.
 */
export async function carrySequences(source: Session, target: Session, { relations, strict, exchange }: RunDefinition): Promise<number> {
  const names = relations
    .filter(({ kind }) => kind === "sequence")
    .map((relation): Carried => ({
      ...relation.name,
      there: relation.terms?.name ?? relation.name,
      strict: strict && relation.strict !== false,
    }));
  if (names.length === 0) return 0;
  const others = names.map(nameThere);
  const [here, there] = [await readSequences(source, names), await readSequences(target, others)];
  refuseMismatch(source, target, names, here, there);
  const wanted = await readPositions(source, names);
  const current = await readPositions(target, others);
  let moved = 0;
  for (const [index, name] of names.entries()) {
    const [from, to] = [here.get(displayName(name))!, there.get(displayName(nameThere(name)))!];
    const [goal, now] = [wanted[index]!, current[index]!];
    if (exchange !== undefined && !isAhead(goal, now, from, exchange.sequences)) continue;
    const text = changeText(goal, now, from, to);
    if (text === null) continue;
    await target.script(sql("replicate.set-sequence", text));
    moved++;
  }
  return moved;
}

function nameThere({ schema, name, there }: Carried): QualifiedName {
  return there ?? { schema, name };
}

/** Where both sides draw numbers, one of them counts: the one that has drawn most, or fewest. */
function isAhead(one: Position, other: Position, { increment }: SequenceShape, policy: SequencePolicy): boolean {
  const of = ({ last_value, is_called }: Position) => BigInt(last_value) * 2n + (is_called === BigInt(increment) > 0n ? 1n : 0n);
  return of(one) > of(other) === (BigInt(increment) > 0n === (policy === "highest")) && of(one) !== of(other);
}

/** A chain of thousands of selects would take the server long to plan, or be refused. */
const READ_AT_ONCE = 200;

/** In the order of the names. */
export async function readPositions(session: Session, names: readonly QualifiedName[]): Promise<Position[]> {
  const positions: Position[] = [];
  for (const some of chunks(names, READ_AT_ONCE)) {
    const parts = some.map(
      (name, index) =>
        `select ${index} as n, ${quoteLiteral(displayName(name))} as name, last_value::text, is_called from ${quoteName(name)}`,
    );
    const text = `select name, last_value, is_called from (${parts.join("\nunion all ")}) x order by n`;
    positions.push(...(await session.query<Position>(sql("replicate.sequences", text))));
  }
  return positions;
}

/** The position goes along with the attributes, because new limits are refused while the old position is beyond them. */
function changeText(wanted: Position, current: Position, here: SequenceShape, there: SequenceShape): string | null {
  const name = quoteName(there);
  const alter = there.privileges.owner && attributesText(here) !== attributesText(there);
  if (!alter && wanted.last_value === current.last_value && wanted.is_called === current.is_called) return null;
  const attributes = alter ? `alter sequence ${name} ${attributesText(here)} restart with ${wanted.last_value}; ` : "";
  return `${attributes}select setval(${quoteLiteral(name)}::regclass, ${wanted.last_value}, ${wanted.is_called})`;
}

function attributesText(shape: SequenceShape): string {
  return `increment by ${shape.increment} minvalue ${shape.min} maxvalue ${shape.max} start with ${shape.start} cache ${shape.cache} ${shape.cycle ? "cycle" : "no cycle"}`;
}

function refuseMismatch(
  source: Session,
  target: Session,
  names: readonly Carried[],
  here: ReadonlyMap<string, SequenceShape>,
  there: ReadonlyMap<string, SequenceShape>,
): void {
  const problems = names.flatMap((name) => {
    const shape = here.get(displayName(name));
    if (shape === undefined) return checkSequenceSource(name, shape, source.name);
    return compareSequences(shape, there.get(displayName(nameThere(name))), { strict: name.strict === true, db: target.name });
  });
  const errors = problems.filter((problem) => problem.grade === "error");
  const [first] = errors;
  if (first === undefined) return;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  throw new BucardoError("schema-mismatch", `sequence ${first.table}: ${first.what}${more}`, {
    db: first.db ?? target.name,
    ...(first.table !== undefined && { table: first.table }),
    advice: first.remedy,
    problems,
  });
}
