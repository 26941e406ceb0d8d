import { checkSequenceSource } from "../catalog/compare-sequence.ts";
import { readSequences } from "../catalog/sequence.ts";
import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import type { RunDefinition } from "./definition.ts";
import { readPositions } from "./sequence.ts";
import type { Positions, SinkRun } from "./sink.ts";

/**
 * Sets the sequences that stand elsewhere than was written last; gives their positions. They are read as of now, so never behind the rows of the snapshot.
 * Errors: schema-mismatch.
 */
export async function setSequences(source: Session, output: SinkRun, { relations }: RunDefinition): Promise<Positions> {
  const wanted = relations.filter(({ kind }) => kind === "sequence");
  if (wanted.length === 0) return {};
  const names = wanted.map(({ name }) => name);
  const shapes = await readSequences(source, names);
  const problems = names.flatMap((name) => (shapes.has(displayName(name)) ? [] : checkSequenceSource(name, undefined, source.name)));
  const [first] = problems;
  if (first !== undefined)
    throw new BucardoError("schema-mismatch", `sequence ${first.table}: ${first.what}`, {
      db: source.name,
      ...(first.table !== undefined && { table: first.table }),
      advice: first.remedy,
      problems,
    });
  const positions: Record<string, string> = {};
  for (const [index, { last_value: value, is_called: called }] of (await readPositions(source, names)).entries()) {
    const { name, terms } = wanted[index]!;
    const there = terms?.name ?? name;
    const position = `${value}${called ? " called" : ""}`;
    if (output.place?.positions[displayName(there)] === position) continue;
    positions[displayName(there)] = position;
    await output.setSequence({ ...there, value, called, shape: shapes.get(displayName(name))! });
  }
  return positions;
}
