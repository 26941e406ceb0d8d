import type { TableCounts } from "../../model/run.ts";
import { sourcesOf } from "../../model/sync.ts";
import { showInterval } from "../interval.ts";
import { describeCopy } from "./describe-copy.ts";
import { describeProgress } from "./describe-progress.ts";
import type { RunRow } from "../../control/run.ts";
import type { SourceState } from "../../control/source-state.ts";
import { latest, type SyncStatus, type TargetStatus } from "./status-read.ts";
import { lagOf } from "./status-table.ts";
import { PLAIN, showDuration, showNumber, showTime, type Form } from "./status-time.ts";

const RULE = "=".repeat(70);

/** The block of `status SYNC`: label and value per line, then a line per target. */
export function statusDetail(of: SyncStatus, sources: readonly SourceState[], now: Date, form: Form = PLAIN): string[] {
  const { sync, targets } = of;
  const good = latest(targets.map((one) => one.lastGood));
  const bad = latest(targets.map((one) => one.lastBad));
  const last =
    good === null ? "none" : `${good.ended === null ? "" : showTime(good.ended, now, form)} (time to run: ${showDuration(good, form)})`;
  const failed =
    bad === null ? "none" : `${bad.ended === null ? "" : showTime(bad.ended, now, form)} (time until fail: ${showDuration(bad, form)})`;
  const counts = good === null ? "0 / 0" : `${showNumber(good.deleted, form)} / ${showNumber(good.upserted, form)}`;
  const source = sourcesOf(sync).join(", ");
  const lines: [string, string][] = [
    ["Last good", last],
    ["Rows deleted/upserted", good !== null && good.truncates > 0 ? `${counts} (tables refilled: ${good.truncates})` : counts],
    ["Last bad", failed],
    ["Sync name", sync.name],
    ["Current state", of.word],
    ["Source relgroup/database", `${sync.relgroup} / ${source}`],
    ["Tables in sync", String(sync.relations.filter((relation) => relation.kind === "table").length)],
    ["Sequences in sync", String(sync.relations.filter((relation) => relation.kind === "sequence").length)],
    [
      "Status",
      sync.ready ? `${sync.status}${sync.paused ? ", paused" : ""}` : "not validated: `bucardo validate` finishes its installation",
    ],
    ["Check time", sync.checktime === null ? "none" : showInterval(sync.checktime)],
    ["Overdue time", of.settings["overdue"] ?? "none"],
    ["Expired time", of.settings["expired"] ?? "none"],
    ["Autokick", sync.autokick ? "Yes" : "No"],
    ["Onetimecopy", sync.onetimecopy === 0 ? "No" : String(sync.onetimecopy)],
    ["Kicks waiting", String(of.kicksWaiting)],
    ["Lag", lagOf(targets.map((one) => one.state))],
  ];
  const disk = sources.find((one) => one.db === source);
  if (disk !== undefined)
    lines.push(["Deltas on the source", `${(disk.bytes / 1024 / 1024).toFixed(1)} MB${disk.note === null ? "" : ` (${disk.note})`}`]);
  const error = bad !== null && (good === null || bad.id > good.id) ? bad : null;
  const aside = targets.reduce((sum, one) => sum + (one.state?.setAside ?? 0), 0);
  if (aside > 0) lines.push(["Set aside", `${aside} ${aside === 1 ? "row" : "rows"}; \`bucardo list set-aside ${sync.name}\` shows them`]);
  if (error !== null) lines.push(["Last error", error.errorMessage ?? "unknown"]);
  if (error?.errorKey) lines.push(["Row", `${error.errorTable ?? ""} (${error.errorKey})`]);
  if (error !== null) lines.push(["Advice", error.advice ?? ""]);
  const width = Math.max(...lines.map(([label]) => label.length));
  return [
    RULE,
    ...lines.map(([label, value]) => `${label.padEnd(width)} : ${value}`.trimEnd()),
    ...targets.flatMap((one) => targetLines(one, error, targets.length > 1, now)),
    RULE,
  ];
}

/** `told`: what stands above already; `several`: there are other targets. */
function targetLines(
  { target, state, running, lastGood, lastBad, lastWritten }: TargetStatus,
  told: RunRow | null,
  several: boolean,
  now: Date,
): string[] {
  const parts = [
    running !== null ? "Running" : (state?.state ?? "not run yet"),
    `lag ${lagOf([state])}`,
    lastGood?.ended ? `last good ${showTime(lastGood.ended, now)} (${showDuration(lastGood)})` : "never good",
    ...(lastBad?.ended ? [`last bad ${showTime(lastBad.ended, now)}`] : []),
  ];
  const more = [
    ...(running === null ? [] : [describeProgress(running)]),
    ...(!state?.copy ? [] : [describeCopy(state.copy)]),
    ...(state !== null && state.setAside > 0 && several ? [`${state.setAside} rows set aside`] : []),
    ...(lastWritten === null ? [] : tableLines(lastWritten.tables)),
    ...(state?.detail && !isTold(state.detail, told) ? [state.detail] : []),
  ];
  return [`Target ${target}: ${parts.join(", ")}`, ...more.map((text) => `    ${text}`)];
}

/** Of the last run that had something to do, table by table; those that took longest come first. */
const TABLES_SHOWN = 20;

function tableLines(tables: readonly TableCounts[]): string[] {
  const written = tables.toSorted((one, other) => (other.ms ?? 0) - (one.ms ?? 0));
  const lines = written
    .slice(0, TABLES_SHOWN)
    .map((table) =>
      [
        `${table.table}: ${table.upserted} upserted`,
        `${table.deleted} deleted`,
        ...(table.setAside === undefined ? [] : [`${table.setAside} set aside`]),
        ...(table.overwritten === undefined ? [] : [`${table.overwritten} overwritten`]),
        `${table.bytes ?? 0} bytes`,
        `${table.ms ?? 0} ms`,
        ...(table.refilled ? [`filled anew: ${table.why ?? "whole table"}`] : []),
      ].join(", "),
    );
  return written.length > TABLES_SHOWN ? [...lines, `and ${written.length - TABLES_SHOWN} more tables; --json has them`] : lines;
}

function isTold(detail: string, told: RunRow | null): boolean {
  return told !== null && detail === `${told.errorMessage ?? ""} ${told.advice ?? ""}`;
}
