import { readFence } from "../capture/fence.ts";
import { carryLargeObjects, markLargeObjects } from "../copy/large-object.ts";
import { refreshMaterializedViews } from "../copy/materialized-view.ts";
import type { QualifiedName } from "../model/name.ts";
import { BucardoError } from "../model/error.ts";
import { resolveParameters } from "../postgres/parameters.ts";
import { adviseMove } from "./advise.ts";
import { cutover, type CutoverContext, type CutoverReport, type Gate, type Side } from "./cutover.ts";
import { describeDrift, readDrift } from "./drift.ts";
import { openEndpoint, type Endpoint } from "./endpoint.ts";
import { lockMigration, unlockMigration } from "./lock.ts";
import { definitionOf, relationsOf } from "./move.ts";
import type { Session } from "../postgres/session.ts";
import type { PoolerRequest } from "./pooler.ts";
import { selectRelations } from "./selection.ts";
import { isDecided, requireSameNew } from "./decided.ts";
import { beginStep, endBrokenSteps, endStep, requireMigration, updateMigration, type Migration } from "./state.ts";
import { turnAround } from "./way-back.ts";

/** What a user decides of a cutover or switchback; the rest comes from the move. */
export type TurnOptions = Pick<
  CutoverContext,
  "budgetMs" | "rehearse" | "verify" | "wayBack" | "onSwitch" | "onSwitchTimeoutMs" | "sequenceGap" | "override" | "onEvent"
> & {
  readonly poolers: readonly { readonly console: string; readonly ini: string | null; readonly database: string | null }[];
};

export type Direction = "cutover" | "switchback";

type Ends = { readonly old: Endpoint; readonly new: Endpoint; readonly signal: AbortSignal };

/**
 * Moves the writers to the other side of a move: `cutover` to the new one, `switchback` to the old one, the same guarded step both times. How it ended is in the
 * report; nothing is lost either way. Errors: migration-missing, in-use (they write there already, or the move is not ready).
 */
export async function turn(ends: Ends, direction: Direction, options: TurnOptions): Promise<CutoverReport> {
  await using state = await openEndpoint(ends.old, direction, ends.signal);
  await lockMigration(state, ends.signal);
  const migration = await requireMigration(state);
  refuseWrongSide(migration, direction);
  const decided = await lookAtNew(ends, state, migration);
  await endBrokenSteps(state);
  if (direction === "cutover" && !decided) {
    const gate = await driftGate(ends, migration, options.override);
    if (gate !== null) return refused(gate, options.onEvent);
  }
  const step = await beginStep(state, options.rehearse ? `${direction} (rehearsal)` : direction);
  const context = contextOf(ends, migration, direction, options, await readLeftOut(ends, migration, direction));
  // Past the decision it is the other side that has the newest of them.
  const carried = decided ? {} : { largeObjectsSince: await carryUncaptured(context) };
  const report = await cutover({ ...context, ...carried });
  if (report.outcome === "switched") await updateMigration(state, { openSide: direction === "cutover" ? "new" : "old" });
  await endStep(state, step, report.outcome === "switched" || report.outcome === "rehearsed" ? "done" : "failed", {
    outcome: report.outcome,
    downtimeMs: report.downtimeMs === null ? null : Math.round(report.downtimeMs),
    timings: report.timings.map(({ step: name, at, ms }) => ({ step: name, at: Math.round(at), ms: Math.round(ms) })),
    ...(report.why !== null && { error: report.why.message }),
  });
  await unlockMigration(state);
  return { ...report, why: adviseMove(report.why) };
}

/** Before anything else, as runs could not even begin; null where it is open. */
async function driftGate({ old, signal }: Ends, migration: Migration, override: readonly string[]): Promise<Gate | null> {
  await using session = await openEndpoint(old, "look", signal);
  // What an earlier attempt left is put right first.
  if (((await readFence(session))?.state ?? "open") !== "open") return null;
  const drift = await readDrift(session, migration);
  if (drift === null) return null;
  const onlyNew = drift.gone.length + drift.remade.length + drift.rekeyed.length === 0;
  if (onlyNew && override.includes("new-tables")) return null;
  return {
    name: "new-tables",
    state: "blocked",
    why: `tables changed since the move began: ${describeDrift(drift)}`,
    remedy: `\`bucardo migrate start\` takes them up, and everything else stays as it is.${onlyNew ? " Or make them on the new side by hand, and --override=new-tables." : ""}`,
  };
}

function refused(gate: Gate, onEvent: TurnOptions["onEvent"]): CutoverReport {
  onEvent({ kind: "gate", gate });
  const why = new BucardoError("gate-closed", `${gate.name}: ${gate.why}`, { ...(gate.remedy && { advice: gate.remedy }) });
  return { outcome: "refused", gates: [gate], timings: [], downtimeMs: null, why, warnings: [] };
}

function refuseWrongSide(migration: Migration, direction: Direction): void {
  const from = direction === "cutover" ? "old" : "new";
  if (migration.openSide !== from)
    throw new BucardoError("in-use", `applications already write to the ${migration.openSide} side`, {
      advice: `\`bucardo migrate ${direction === "cutover" ? "switchback" : "cutover"}\` moves them the other way.`,
    });
  if (migration.phase !== "ready")
    throw new BucardoError("in-use", `the move is not ready: it stands at "${migration.phase}"`, {
      advice: "`bucardo migrate start` goes on with it.",
    });
}

/** Whether an earlier command decided this turn. Errors: target-changed. */
async function lookAtNew(ends: Ends, state: Session, migration: Migration): Promise<boolean> {
  await using target = await openEndpoint(ends.new, "look", ends.signal);
  await requireSameNew(ends.new.place, target, migration, `The move is one to ${migration.targetPlace}: name that as --to.`);
  return await isDecided(migration.openSide === "old" ? state : target);
}

/** What the choice of the move leaves out on the side that is left, as it is now: no gate asks for it. */
async function readLeftOut(ends: Ends, { options }: Migration, direction: Direction): Promise<QualifiedName[]> {
  await using session = await openEndpoint(direction === "cutover" ? ends.old : ends.new, "look", ends.signal);
  const { leftOut, unchosen } = await selectRelations(session, options);
  return [...leftOut, ...unchosen].map(({ schema, name }) => ({ schema, name }));
}

function contextOf(
  ends: Ends,
  migration: Migration,
  direction: Direction,
  options: TurnOptions,
  leftOut: readonly QualifiedName[],
): CutoverContext {
  const relations = relationsOf(migration);
  const forward = definitionOf(migration, relations);
  const [from, to] = direction === "cutover" ? [ends.old, ends.new] : [ends.new, ends.old];
  return {
    ...options,
    from: sideOf(from, ends.signal),
    to: sideOf(to, ends.signal),
    definition: direction === "cutover" ? forward : turnAround(forward),
    installation: migration.id,
    uncaptured: relations.tables.filter((table) => table.handling !== "follow").map(({ schema, name }) => ({ schema, name })),
    leftOut,
    largeObjectsCarried: true,
    poolers: options.poolers.map((pooler) => poolerOf(pooler, from, to)),
    signal: ends.signal,
  };
}

/** What no delta tells of, as late as can be without keeping anybody waiting: nobody uses the other side yet. Returns the mark of large objects. */
async function carryUncaptured({ from, to, signal }: CutoverContext): Promise<number> {
  await using source = await from.open("large objects");
  await using target = await to.open("large objects");
  const since = await markLargeObjects(source);
  await carryLargeObjects({ source, target, signal, remove: true });
  await refreshMaterializedViews({ source, target, signal });
  return since;
}

function sideOf(endpoint: Endpoint, signal: AbortSignal): Side {
  return { name: endpoint.name, place: endpoint.place, open: (purpose) => openEndpoint(endpoint, purpose, signal) };
}

/** `console`: a URL or words; its database is pgbouncer unless it says otherwise. */
function poolerOf({ console, ini, database }: TurnOptions["poolers"][number], from: Endpoint, to: Endpoint): PoolerRequest {
  const { host, port, dbname } = resolveParameters(to.options);
  return {
    console: { name: "pgbouncer", conn: console, dbname: "pgbouncer" },
    database: database ?? from.dbname,
    ini,
    to: { host, port, dbname },
  };
}
