import { Proof } from "../verify/proof.ts";
import { definitionOf, openNew, openOld, relationsOf, type Move, type PhaseResult } from "./move.ts";
import { forwardLine } from "./runs.ts";

/**
 * Every row of both sides is looked at while writers go on, and what was shown is remembered: the cutover then looks only at rows that were touched since. Errors:
 * not-equal, naming table and keys.
 */
export async function proveEqual(move: Move): Promise<PhaseResult> {
  const definition = definitionOf(move.migration, relationsOf(move.migration));
  await using source = await openOld(move, "compare");
  await using target = await openNew(move, "compare");
  await using line = forwardLine({ ...move, report: () => {} });
  let done = 0;
  const proof = await Proof.open({
    source,
    target,
    definition,
    installation: move.migration.id,
    advance: () => line.run(),
    onTable: (table) => move.report({ done: ++done, doing: table }),
    signal: move.signal,
  });
  move.report({ expected: proof.tables, unit: "tables" });
  const looked = await proof.bulk();
  const touched = await proof.refresh();
  return { tables: proof.tables, looked, touched };
}
