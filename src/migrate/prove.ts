import { Proof } from "../verify/proof.ts";
import type { ProofProgress } from "../verify/proof-job.ts";
import { rememberPrint } from "./compared-table.ts";
import { definitionOf, openNew, openOld, relationsOf, type Move, type PhaseResult } from "./move.ts";
import type { MigrationProgress } from "./progress.ts";
import { followImages, forwardLine, openBoth } from "./runs.ts";

/** How often deltas that nobody needs any more are dropped while this takes hours. */
const PURGE_MS = 30_000;

/**
 * Every row of both sides is looked at while writers go on, and what was shown is remembered: the cutover then looks only at rows that were touched since. Large
 * tables in pieces, each in a snapshot of seconds; a piece that was shown is not looked at again, whatever ends this. Errors: not-equal, naming table and keys.
 */
export async function proveEqual(move: Move): Promise<PhaseResult> {
  const definition = definitionOf(move.migration, relationsOf(move.migration));
  await using source = await openOld(move, "compare");
  await using target = await openNew(move, "compare");
  await using line = forwardLine({ ...move, report: () => {} });
  let purged = performance.now();
  const proof = await Proof.open({
    source,
    target,
    definition,
    installation: move.migration.id,
    advance: async () => {
      await line.run();
      if (performance.now() - purged < PURGE_MS) return;
      await line.purge();
      purged = performance.now();
    },
    open: () =>
      openBoth(
        () => openOld(move, "compare"),
        () => openNew(move, "compare"),
      ),
    jobs: move.migration.options.jobs,
    onPrint: (table, print) => rememberPrint(move.state, table, print),
    onProgress: (progress) => move.report(shown(progress)),
    signal: move.signal,
  });
  const looked = await proof.bulk();
  await followImages(move, true);
  const touched = await proof.refresh();
  return { tables: proof.tables, looked, touched };
}

/** Tables that the picture has room for. */
const SHOWN = 6;

/** The largest that are not done. Pure. */
function shown({ bytes, bytesDone, rows, tables }: ProofProgress): Partial<MigrationProgress> {
  const open = tables.filter((table) => table.bytesDone < table.bytes).toSorted((one, other) => other.bytes - one.bytes);
  return {
    doing: rows === 0 ? null : `${rows.toLocaleString("en-US")} rows`,
    done: bytesDone,
    expected: bytes,
    unit: "bytes",
    tables: open.slice(0, SHOWN).map(({ table, ...sizes }) => ({ table, done: sizes.bytesDone, expected: sizes.bytes, state: "compares" })),
  };
}
