import { reach } from "../base/point.ts";
import { armFence, disarmFence, readFence } from "../capture/fence.ts";
import { readImageTables } from "../capture/image-table.ts";
import { purge } from "../capture/purge.ts";
import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import { toBucardoError } from "../postgres/failure.ts";
import type { RunDefinition } from "../replicate/definition.ts";
import { Proof } from "../verify/proof.ts";
import type { CutoverContext } from "./cutover-context.ts";
import { onLiving, type CutoverSessions } from "./cutover-sessions.ts";
import { definitionsPrint } from "./definitions-print.ts";
import { followKeylessPatiently } from "./follow-keyless.ts";
import { decideGates, type Gate, type GateFacts } from "./gate.ts";
import { analyzeMissing, readGateFacts } from "./gate-facts.ts";
import { prepareLastSequences, type LastSequences } from "./last-sequences.ts";
import { comeNear, runOnce } from "./near.ts";
import { openBoth } from "./runs.ts";
import type { Poolers } from "./poolers.ts";
import type { Timeline } from "./timeline.ts";
import type { Undo } from "./undo.ts";
import { prepareWayBack } from "./way-back.ts";
import { prepareWholeTables, type WholeTable } from "./whole-table.ts";

/** What every part of a cutover works with. */
export type Working = {
  readonly context: CutoverContext;
  readonly sessions: CutoverSessions;
  readonly poolers: Poolers;
  readonly timeline: Timeline;
  /** What a failure takes back, last first. */
  readonly undo: Undo;
};

/** Everything that the window needs and that takes time, made before it. */
export type Prepared = {
  readonly gates: readonly Gate[];
  /** The side that is moved to is kept closed until the switch. */
  readonly fenced: boolean;
  /** Tables only: sequences have a step of their own, which does not look at their attributes. The very object that runs know already. */
  readonly lastRun: RunDefinition;
  readonly sequences: LastSequences;
  readonly whole: readonly WholeTable[];
  readonly proof: Proof | null;
  /** Of the side that is left, before its gates were looked at. */
  readonly definitions: string;
};

/** More than one run of the window should carry. */
const MOST_DELTAS = 100_000;

/** All that can be done while applications write: what is left for the window is as little as possible, and on connections that know it already. */
export async function prepareCutover(working: Working): Promise<Prepared> {
  const { context, sessions, timeline, undo, poolers } = working;
  const { definition, uncaptured, signal } = context;
  const { from, to, run } = sessions;
  const wayBack = context.wayBack ? await armWayBack(working) : { wanted: false, ready: false, why: null };
  await timeline.step("first runs", () => comeNear({ definition, ...run, signal }));
  await timeline.step(
    "statistics on the other side",
    () => analyzeMissing(to, context),
    (count) => (count === 0 ? null : `${count} ${count === 1 ? "table" : "tables"} had none`),
  );
  const lastRun = { ...definition, relations: definition.relations.filter(({ kind }) => kind === "table") };
  const { proof, compared } = context.verify ? await compareBulk(working, lastRun) : { proof: null, compared: null };
  const followed = (await readImageTables(from, definition.sync.id)).map(({ name }) => displayName(name));
  if (followed.length > 0)
    await timeline.step(
      "tables without key",
      () => followKeylessPatiently({ sync: definition.sync, ...run, prove: context.verify, signal }),
      String,
    );
  const whole = await prepareWholeTables(
    from,
    to,
    uncaptured.filter((table) => !followed.includes(displayName(table))),
  );
  await timeline.step("let go of old deltas", () => letGoOfDeltas(working, lastRun, proof));
  await timeline.step("arm the fence", async () => {
    undo.add(`give ${from.name} its usual functions again`, () => onLiving(from, context.from, disarmFence));
    await armFence(from, {
      sync: definition.sync.id,
      uncaptured,
      hint: `Repeat the transaction in a moment, then at ${context.to.place}.`,
    });
  });
  await reach("migrate.armed");
  const names = definition.relations.filter(({ kind }) => kind === "sequence").map(({ name }) => name);
  const sequences = await prepareLastSequences(from, to, names, context.sequenceGap);
  const runMs = await timeline.step(
    "come near",
    () => comeNear({ definition: lastRun, ...run, signal }),
    (ms) => `last run ${Math.round(ms)} ms`,
  );
  // What changes from here on no gate has seen.
  const definitions = await definitionsPrint(from);
  const facts = await readGateFacts({ ...working, runMs }, { compared, wayBack, poolers: await poolers.check() });
  const gates = decideGates(facts, { budgetMs: context.budgetMs, mostDeltas: MOST_DELTAS }, context.override);
  for (const gate of gates) context.onEvent({ kind: "gate", gate });
  return {
    gates,
    fenced: wayBack.ready || ((await readFence(to))?.state ?? "open") !== "open",
    lastRun,
    sequences,
    whole,
    proof,
    definitions,
  };
}

/** Of each table; some thousand keys. */
const FEW_BYTES = 128 * 1024;

/**
 * Delta tables are read whole by whoever looks what waits: those that everybody has passed are emptied, and what is written from now on goes into others. Before the
 * fence is armed, as it holds the functions that write them. A generation that retires in one turn is passed in the next, by the proof one later.
 */
async function letGoOfDeltas({ context, sessions }: Working, lastRun: RunDefinition, proof: Proof | null): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await lookOnce({ context, sessions }, lastRun, proof);
    await purge(sessions.run.source, { sync: lastRun.sync.id, rotateBytes: FEW_BYTES });
  }
}

async function lookOnce(
  { context, sessions }: Pick<Working, "context" | "sessions">,
  lastRun: RunDefinition,
  proof: Proof | null,
): Promise<void> {
  if (proof !== null) await proof.refresh();
  else await runOnce({ definition: lastRun, ...sessions.run, signal: context.signal });
}

const MOST_LOOKS = 8;
/** Shorter than that it need not become. */
const SHORT_LOOK_MS = 50;

/** The last thing before the window, as looking at the gates took a while. Each look is about as long as what was written during the one before, so it is repeated until it becomes no shorter. */
export async function comeVeryNear(working: Working, { proof, lastRun }: Prepared): Promise<void> {
  const { context, sessions, timeline } = working;
  const carryKeyless = () => followKeylessPatiently({ sync: lastRun.sync, ...sessions.run, prove: false, signal: context.signal });
  await timeline.step("last look", async () => {
    await carryKeyless();
    for (let turn = 1, before = Number.POSITIVE_INFINITY; turn <= MOST_LOOKS; turn++) {
      const began = performance.now();
      await lookOnce(working, lastRun, proof);
      const ms = performance.now() - began;
      // The first one finds what came while the gates were looked at.
      if (turn > 1 && (ms < SHORT_LOOK_MS || ms > before * 0.9)) break;
      before = ms;
    }
    // What came during the looks is as much as they took, and is not for the window.
    if ((await carryKeyless()) > 0) await lookOnce(working, lastRun, proof);
  });
}

/** After the bulk: each is about as long as what was written during the one before. */
const LAST_LOOKS = 2;

async function armWayBack({ context, sessions, timeline, undo }: Working): Promise<GateFacts["wayBack"]> {
  try {
    await timeline.step("prepare the way back", () => prepareWayBack(context, sessions.from, sessions.to, undo));
    return { wanted: true, ready: true, why: null };
  } catch (error) {
    const { message, advice } = toBucardoError(error, {});
    return { wanted: true, ready: false, why: message, remedy: advice };
  }
}

/** Takes as long as reading all tables that were not compared yet; runs go on in between. */
async function compareBulk(
  { context, sessions, timeline }: Working,
  lastRun: RunDefinition,
): Promise<{ proof: Proof | null; compared: GateFacts["compared"] }> {
  const { definition, installation, signal, onEvent } = context;
  try {
    const proof = await Proof.open({
      ...sessions.proof,
      definition,
      installation,
      advance: () => runOnce({ definition: lastRun, ...sessions.run, signal }),
      open: () =>
        openBoth(
          () => context.from.open("compare"),
          () => context.to.open("compare"),
        ),
      onTable: (table) => onEvent({ kind: "compared", table }),
      signal,
    });
    await timeline.step(
      "compare",
      () => proof.bulk(),
      (count) => (count === 0 ? null : `${count} of ${proof.tables} tables were not compared yet`),
    );
    await timeline.step("compare what was touched", async () => {
      for (let turn = 0; turn < LAST_LOOKS; turn++) await proof.refresh();
    });
    return { proof, compared: { tables: proof.tables, different: [] } };
  } catch (error) {
    if (!(error instanceof BucardoError) || error.code !== "not-equal") throw error;
    return { proof: null, compared: { tables: 0, different: [error.message] } };
  }
}
