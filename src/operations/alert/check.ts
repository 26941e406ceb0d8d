import { z } from "zod";
import { lateness, problemsOf } from "../../alert/problems.ts";
import { resolveSettings, type Settings } from "../../config/setting.ts";
import { readConflictFacts, readSourceFacts, readTargetFacts, type TargetFacts } from "../../control/alert-facts.ts";
import { daemonIsAlive } from "../../control/daemon.ts";
import { readSettings } from "../../control/setting.ts";
import { readSyncSettings } from "../../control/sync-setting.ts";
import { sourcesOf } from "../../model/sync.ts";
import { BucardoError } from "../../model/error.ts";
import type { Session } from "../../postgres/session.ts";
import type { Context } from "../context.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { selectSyncs } from "../daemon/select-syncs.ts";

const output = z.object({
  state: z.enum(["OK", "WARNING", "CRITICAL", "UNKNOWN"]),
  problems: z.array(z.object({ grade: z.enum(["warning", "critical"]), what: z.string(), advice: z.string() })),
  /** name -> value with its unit, and the two thresholds where there are some. */
  performance: z.array(z.object({ name: z.string(), value: z.string(), warning: z.string(), critical: z.string() })),
  message: z.string(),
});
type Checked = z.output<typeof output>;

const EXIT = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 } as const;

export const check = defineOperation({
  name: ["check"],
  summary: "Tell a monitoring system how the syncs do",
  description:
    "One line as Nagios and its kin want it, with performance data, and an exit code. Warns of what is overdue or lags, of runs that are tried again, rows that are " +
    "set aside and deltas that fill a disk; critical are a daemon that does not run, stopped syncs and what has expired. The thresholds are the settings overdue, " +
    "expired, alert_lag and alert_delta_disk, also of single syncs.",
  group: "syncs",
  effect: "reads",
  control: "required",
  noise: ["sync", "syncs"],
  input: z.object({ syncs: words({ about: "Names of syncs or wildcards; all when none is given.", value: "SYNC" }) }),
  output,
  exitCodes: { 0: "OK", 1: "warning", 2: "critical", 3: "unknown, for instance the control database does not answer" },
  examples: [
    { command: "bucardo check", about: "Everything." },
    { command: "bucardo check pepper --json", about: "One sync, for a program." },
  ],
  async run({ syncs }, context) {
    try {
      return await judge(syncs, context);
    } catch (error) {
      if (!(error instanceof BucardoError)) throw error;
      return { state: "UNKNOWN" as const, problems: [], performance: [], message: `BUCARDO UNKNOWN: ${oneLine(error.message)}` };
    }
  },
  print: ({ message }, io) => io.out(message),
  exit: ({ state }) => EXIT[state],
});

async function judge(named: readonly string[], context: Context): Promise<Checked> {
  const control = await context.control();
  const chosen = named.length === 0 ? null : await selectSyncs(control, named);
  const meant = (sync: string): boolean => chosen === null || chosen.some(({ name }) => name === sync);
  const { general, ofSync } = await thresholds(control, context);
  const targets = (await readTargetFacts(control)).filter(({ sync }) => meant(sync));
  const sources = (await readSourceFacts(control)).filter(
    ({ db }) => chosen === null || chosen.some((sync) => sourcesOf(sync).includes(db)),
  );
  const conflicts = (await readConflictFacts(control)).filter(({ sync }) => meant(sync));
  const problems = problemsOf({ targets, sources, conflicts }, ofSync, general).map(({ grade, what, advice }) => ({ grade, what, advice }));
  const alive = await daemonIsAlive(control);
  if (!alive) problems.unshift({ grade: "critical", what: "no daemon runs", advice: "`bucardo start` starts it." });
  const inactive = (chosen ?? []).filter((sync) => sync.status !== "active");
  problems.push(
    ...inactive.map(({ name }) => ({ grade: "warning" as const, what: `sync ${name}: inactive`, advice: `\`bucardo activate ${name}\`` })),
  );
  const state = problems.some(({ grade }) => grade === "critical") ? "CRITICAL" : problems.length > 0 ? "WARNING" : "OK";
  const performance = targets.flatMap((target) => measures(target, ofSync(target.syncId)));
  const said = problems.length === 0 ? `${count(targets)}, nothing is wrong` : problems.map(({ what }) => oneLine(what)).join("; ");
  const data = performance.map(({ name, value, warning, critical }) => `'${name}'=${value};${warning};${critical};0`).join(" ");
  return { state, problems, performance, message: `BUCARDO ${state}: ${said.replaceAll("|", "/")}${data === "" ? "" : ` | ${data}`}` };
}

async function thresholds(control: Session, context: Context): Promise<{ general: Settings; ofSync: (id: string) => Settings }> {
  const stored = { ...(await readSettings(control)), ...context.config.overrides };
  const own = await readSyncSettings(control);
  const general = resolveSettings(stored);
  return { general, ofSync: (id) => (own.has(id) ? resolveSettings({ ...stored, ...own.get(id) }) : general) };
}

function measures(of: TargetFacts, { overdue, expired, alert_lag: lag }: Settings): Checked["performance"] {
  const name = `${of.sync}.${of.target}`;
  const limit = (ms: number | null): string => (ms === null ? "" : String(ms / 1000));
  return [
    { name: `${name}.lag`, value: `${Math.round(of.lagSeconds ?? 0)}s`, warning: of.byItself ? limit(lag) : "", critical: "" },
    { name: `${name}.deltas`, value: String(of.deltas ?? 0), warning: "", critical: "" },
    { name: `${name}.age`, value: `${Math.round(lateness(of))}s`, warning: limit(overdue), critical: limit(expired) },
  ];
}

function count(targets: readonly TargetFacts[]): string {
  const syncs = new Set(targets.map(({ sync }) => sync)).size;
  return `${syncs} ${syncs === 1 ? "sync" : "syncs"}, ${targets.length} ${targets.length === 1 ? "target" : "targets"}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
