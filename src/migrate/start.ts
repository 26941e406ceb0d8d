import { reach } from "../base/point.ts";
import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { beginCapture } from "./begin-capture.ts";
import { adviseMove } from "./advise.ts";
import { copyRows } from "./copy-rows.ts";
import { describeDrift, readDrift } from "./drift.ts";
import { openEndpoint } from "./endpoint.ts";
import { moveExtras } from "./extras.ts";
import { lockMigration } from "./lock.ts";
import { readStructure } from "./read-structure.ts";
import { makeConstraints, makeKeys, makeStructure } from "./structure.ts";
import { reporterOf, type Move, type MoveContext, type PhaseResult } from "./move.ts";
import { phasesFrom, phaseWords, type Phase } from "./phase.ts";
import { openMigration } from "./open.ts";
import { proveEqual } from "./prove.ts";
import { repairRun, catchUpRuns } from "./runs.ts";
import { takeUp } from "./take-up.ts";
import { beginStep, endStep, readSteps, requireMigration, updateMigration, type Migration, type MigrationOptions } from "./state.ts";

const works: Readonly<Record<Phase, (move: Move) => Promise<PhaseResult>>> = {
  schema: makeStructure,
  capture: beginCapture,
  copy: copyRows,
  keys: makeKeys,
  repair: repairRun,
  constraints: makeConstraints,
  extras: moveExtras,
  "catch-up": catchUpRuns,
  compare: proveEqual,
  ready: async () => ({}),
};

export type StartContext = MoveContext & {
  /** Called when a phase begins; `resumed` when it had begun before. */
  readonly onPhase: (phase: Phase, migration: Migration) => void | Promise<void>;
};

/**
 * Brings the new side in step with the old one, which stays in use all the time: structure, capture, copy, keys, the run that makes it one state,
 * constraints, the rest, catch-up, proof. Every phase is remembered on the old side; after a crash the same call goes on where it stood.
 * Errors: in-use (another command works on this move), and those of the phases.
 */
export async function start(context: StartContext, wanted: MigrationOptions): Promise<Migration> {
  await using state = await openEndpoint(context.old, "state", context.signal);
  await lockMigration(state, context.signal);
  const begun = await openMigration(context, state, wanted);
  if (begun.openSide === "new")
    throw new BucardoError("in-use", "This move was switched over already: the new side is in use.", {
      advice: "`bucardo migrate status` tells how it stands; `switchback` or `finish` come next.",
    });
  const going = await followDrift(context, state, begun);
  if (going === begun && going.phase !== "ready" && (await readSteps(state)).length > 0)
    context.onMessage(`Going on where it stood, at "${going.phase}": ${phaseWords[going.phase]}.`);
  const structure = once(() => readStructure(context, begun.options));
  for (const phase of phasesFrom(going.phase)) await doPhase(context, state, structure, phase);
  return await requireMigration(state);
}

/** Tables that came, went, or were made anew since they were chosen are taken up. */
async function followDrift(context: StartContext, state: Session, begun: Migration): Promise<Migration> {
  const drift = await readDrift(state, begun);
  if (drift === null) return begun;
  context.onMessage(`tables changed on the old side since they were chosen, and are taken up: ${describeDrift(drift)}`);
  await takeUp(context, state, begun, drift);
  return await requireMigration(state);
}

async function doPhase(context: StartContext, state: Session, structure: Move["structure"], phase: Phase): Promise<void> {
  context.signal.throwIfAborted();
  await updateMigration(state, { phase });
  const migration = await requireMigration(state);
  await context.onPhase(phase, migration);
  await reach("migrate.phase-begun");
  const step = await beginStep(state, phase);
  const reporter = reporterOf(phase, context, state);
  reporter.report({});
  try {
    const result = await works[phase]({ ...context, migration, state, structure, report: (change) => reporter.report(change) });
    await reporter.flush();
    await endStep(state, step, "done", result);
    await reach("migrate.phase-done");
  } catch (error) {
    // The state's connection may be what broke; the step then stays open, and the next command sees that nobody holds the lock.
    await endStep(state, step, "failed", failureOf(error)).catch(() => undefined);
    throw adviseMove(error);
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | null = null;
  return () => (result ??= work());
}

function failureOf(error: unknown): PhaseResult {
  if (!(error instanceof BucardoError)) return { error: "unexpected" };
  return { error: error.message, code: error.code, sqlstate: error.details.sqlstate ?? null, table: error.details.table ?? null };
}
