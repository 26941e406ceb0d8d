import { readShapes, sameShape, type Shape } from "../capture/shape.ts";
import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import { rollbackQuietly } from "../postgres/transaction.ts";
import type { Session } from "../postgres/session.ts";
import type { BatchTable } from "./definition.ts";

/**
 * What an error of a run means. One that would stop the sync is no verdict on anything when a table changed its shape after the snapshot, as with
 * `alter table .. drop column` on both sides in the middle of a run: then the run is void and the next one looks again.
 */
export async function verdictOn(error: unknown, source: Session, tables: readonly BatchTable[]): Promise<unknown> {
  if (!(error instanceof BucardoError) || error.retry !== "never" || source.lost.aborted) return error;
  await rollbackQuietly(source);
  const now = await readShapes(
    source,
    tables.map((table) => table.oid),
  ).catch(() => null);
  const changed = now === null ? undefined : tables.find((table) => !sameShape(underTerms(now.get(table.oid)?.shape, table), table.now));
  if (changed === undefined) return error;
  return new BucardoError("run-void", `${displayName(changed.name)} was altered while the run looked at it`, {
    db: source.name,
    table: displayName(changed.name),
    cause: error,
  });
}

/** Terms are the definition's, which does not change during a run. */
function underTerms(shape: Shape | undefined, { now: { terms } }: BatchTable): Shape | null {
  if (shape === undefined) return null;
  return terms === undefined ? shape : { ...shape, terms };
}
