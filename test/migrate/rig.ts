import { cutover, type CutoverContext, type CutoverReport, type Side } from "../../src/migrate/cutover.ts";
import { connect } from "../../src/postgres/connect.ts";
import type { TestDatabase } from "../harness/database.ts";
import type { Rig } from "../replicate/rig.ts";

export function sideOf(name: string, database: TestDatabase): Side {
  const { host, port, user } = database.connection;
  return {
    name,
    place: `${host}:${port}/${database.name}`,
    open: (purpose) => connect({ name, host, port, user, dbname: database.name, applicationName: `bucardo migrate ${purpose}` }),
  };
}

/** A cutover of the rig's sync, from its source to its target, with nothing special about it. */
export function contextOf(rig: Rig, change: Partial<CutoverContext> = {}): CutoverContext {
  return {
    from: sideOf("source", rig.source),
    to: sideOf("target", rig.target),
    definition: rig.definition({ strict: false }),
    installation: rig.installation,
    uncaptured: [],
    leftOut: [],
    largeObjectsCarried: false,
    // Whoever tests the budget says so: a slow machine must not run over it.
    budgetMs: 60_000,
    rehearse: false,
    verify: false,
    wayBack: true,
    poolers: [],
    onSwitch: null,
    onSwitchTimeoutMs: 10_000,
    sequenceGap: 100,
    override: [],
    signal: new AbortController().signal,
    onEvent: () => undefined,
    ...change,
  };
}

/** For reading a failure: what the report says, in lines. */
export function describe(report: CutoverReport): string {
  return [
    `${report.outcome} ${report.why?.message ?? ""}`,
    ...report.gates.filter(({ state }) => state !== "ok").map(({ name, state, why }) => `${name} ${state}: ${why}`),
    ...report.timings.map(
      ({ step, at, ms, detail }) => `${at.toFixed(1).padStart(8)} ${ms.toFixed(1).padStart(8)} ${step} ${detail ?? ""}`,
    ),
    `down ${report.downtimeMs?.toFixed(1)} ms`,
    ...report.warnings,
  ].join("\n");
}

export async function switchOver(rig: Rig, change: Partial<CutoverContext> = {}): Promise<CutoverReport> {
  const report = await cutover(contextOf(rig, change));
  if (report.outcome !== "switched") throw new Error(describe(report), { cause: report.why });
  return report;
}
