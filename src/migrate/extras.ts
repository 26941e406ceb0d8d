import { openNew, type Move, relationsOf, type PhaseResult } from "./move.ts";
import { analyzeTables } from "./statistics.ts";
import { makeStages } from "./structure.ts";

/** Statistics first, so that the queries of materialized views are planned well. */
export async function moveExtras(move: Move): Promise<PhaseResult> {
  const { tables } = relationsOf(move.migration);
  move.report({ expected: tables.length, unit: "tables" });
  let done = 0;
  const analyzed = await analyzeTables({
    open: () => openNew(move, "analyze"),
    tables,
    jobs: move.migration.options.jobs,
    onTable: (table) => move.report({ done: ++done, doing: `analyze ${table}` }),
  });
  const refreshed = await makeStages(move, ["materialized-view"]);
  return { analyzed, refreshed: refreshed["objects"] };
}
