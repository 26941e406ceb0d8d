import { displayName, type QualifiedName } from "../model/name.ts";
import { BucardoError } from "../model/error.ts";
import { readSequences, type SequenceShape } from "../catalog/sequence.ts";
import { quoteLiteral, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

type Position = { readonly name: string; readonly last_value: string; readonly is_called: boolean };

/**
 * Brings sequences to where the source's are, attributes included; returns how many moved. Called after the run's snapshot was taken and before the
 * target commits: a sequence is read as of now, so it is never behind the rows that came with the snapshot (hazard 24). setval is not
 * transactional: after a failed run a sequence may be ahead, which is harmless.
 */
export async function carrySequences(source: Session, target: Session, names: readonly QualifiedName[]): Promise<number> {
  if (names.length === 0) return 0;
  const [here, there] = [await readSequences(source, names), await readSequences(target, names)];
  refuseMissing(source, names, here);
  refuseMissing(target, names, there);
  const wanted = await readPositions(source, names);
  const current = new Map((await readPositions(target, names)).map((position) => [position.name, position]));
  let moved = 0;
  for (const [index, name] of names.entries()) {
    const text = changeText(
      name,
      wanted[index]!,
      current.get(displayName(name))!,
      here.get(displayName(name))!,
      there.get(displayName(name))!,
    );
    if (text === null) continue;
    await target.script(sql("replicate.set-sequence", text));
    moved++;
  }
  return moved;
}

async function readPositions(session: Session, names: readonly QualifiedName[]): Promise<Position[]> {
  const parts = names.map(
    (name, index) =>
      `select ${index} as n, ${quoteLiteral(displayName(name))} as name, last_value::text, is_called from ${quoteName(name)}`,
  );
  return session.query<Position>(
    sql("replicate.sequences", `select name, last_value, is_called from (${parts.join("\nunion all ")}) x order by n`),
  );
}

function changeText(name: QualifiedName, wanted: Position, current: Position, here: SequenceShape, there: SequenceShape): string | null {
  const attributes = attributesText(here) === attributesText(there) ? "" : `alter sequence ${quoteName(name)} ${attributesText(here)}; `;
  if (attributes === "" && wanted.last_value === current.last_value && wanted.is_called === current.is_called) return null;
  return `${attributes}select setval(${quoteLiteral(quoteName(name))}::regclass, ${wanted.last_value}, ${wanted.is_called})`;
}

function attributesText(shape: SequenceShape): string {
  return `increment by ${shape.increment} minvalue ${shape.min} maxvalue ${shape.max} start with ${shape.start} cache ${shape.cache} ${shape.cycle ? "cycle" : "no cycle"}`;
}

function refuseMissing(session: Session, names: readonly QualifiedName[], there: ReadonlyMap<string, SequenceShape>): void {
  const missing = names.map(displayName).filter((name) => !there.has(name));
  if (missing.length === 0) return;
  throw new BucardoError("schema-mismatch", `sequence ${missing.join(", ")} does not exist on ${session.name}`, {
    db: session.name,
    table: missing[0] ?? "",
    advice: `Make it there, or remove it from the sync.`,
  });
}
