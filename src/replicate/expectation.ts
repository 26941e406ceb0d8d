import { displayName } from "../model/name.ts";
import type { Snapshot } from "../model/snapshot.ts";
import type { Session } from "../postgres/session.ts";
import type { Batch, BatchTable, RunDefinition } from "./definition.ts";
import type { TablePlan } from "./plan.ts";

/**
 * What the next run of a connection will find if nothing but rows changed: the same few tables, their deltas in the same places, the checkpoint where
 * this run put it. What it would do then is asked along with its first look; where the look finds something else, that was in vain and the run
 * goes its usual way.
 */
export type Expectation = {
  readonly definition: RunDefinition["relations"];
  readonly sync: string;
  readonly target: string;
  /** As text: where the checkpoint must stand. */
  readonly checkpoint: string;
  readonly cutoff: Snapshot;
  readonly batch: Batch;
  readonly plans: readonly TablePlan[];
};

/** More are rarely the same ones again. */
const MOST_TABLES = 16;

const expectations = new WeakMap<Session, Expectation>();

/** To be called when a run has settled. */
export function expectSame(source: Session, definition: RunDefinition, batch: Batch, plans: readonly TablePlan[]): void {
  const usual = plans.every(({ action, gone, joined }) => action === "keys" && gone.length === 0 && joined.length === 0);
  if (!usual || plans.length === 0 || batch.tables.length > MOST_TABLES || batch.leftOut.length > 0) return;
  if (batch.tables.some(({ joining, setAside }) => joining || setAside > 0)) return;
  expectations.set(source, {
    definition: definition.relations,
    sync: definition.sync.id,
    target: definition.target,
    checkpoint: batch.snapshotText,
    cutoff: batch.snapshot,
    batch,
    plans,
  });
}

/** Used once: a run that failed, or found something else, leaves nothing to expect. */
export function takeExpectation(source: Session, definition: RunDefinition): Expectation | null {
  const expected = expectations.get(source);
  expectations.delete(source);
  if (expected === undefined || definition.onetimecopy !== 0) return null;
  const same =
    expected.definition === definition.relations && expected.sync === definition.sync.id && expected.target === definition.target;
  return same ? expected : null;
}

/** Whether a run found the tables as they were, and its checkpoint where it was put: then what was asked along with its look is what it would ask. Pure. */
export function isAsExpected({ batch, checkpoint }: Expectation, found: string, tables: readonly BatchTable[]): boolean {
  if (found !== checkpoint || tables.length !== batch.tables.length) return false;
  return tables.every((table, index) => {
    const before = batch.tables[index]!;
    return (
      table.captured === before.captured &&
      table.now === before.now &&
      displayName(table.name) === displayName(before.name) &&
      table.generations.join() === before.generations.join() &&
      table.truncated.length === 0 &&
      !table.joining &&
      !table.recopy &&
      table.setAside === 0
    );
  });
}
