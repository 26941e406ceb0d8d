import { showInterval } from "../interval.ts";
import { latest, type Status, type SyncStatus } from "./status-read.ts";
import { PLAIN, showDuration, showNumber, showTime, type Form } from "./status-time.ts";

const HEADS = ["Name", "State", "Last good", "Time", "Last I/D", "Last bad", "Time", "Lag"] as const;
/** Columns are numbered as in version 5; a negative number turns the order round. */
export type Sort = { readonly column: number; readonly descending: boolean };

/** The lines of `status`: who runs, then a row per sync. */
export function statusTable(status: Status, sort: Sort, now: Date, form: Form = PLAIN): string[] {
  if (status.syncs.length === 0) return [...daemonLines(status, now), "No syncs have been created yet."];
  const rows = sorted(
    status.syncs.map((one) => rowOf(one, now, form)),
    sort,
  );
  const widths = HEADS.map((head, index) => Math.max(head.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const line = (cells: readonly string[], between: string): string =>
    ` ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(between)}`.trimEnd();
  return [
    ...daemonLines(status, now),
    line(HEADS, form.compress ? " " : "   "),
    widths.map((width) => "=".repeat(width + (form.compress ? 0 : 2))).join("+"),
    ...rows.map((row) => line(row, form.compress ? "|" : " | ")),
    ...status.syncs.flatMap(asideLine),
    ...status.sources.flatMap(({ db, note }) => (note === null ? [] : [`${db}: ${note}`])),
  ];
}

export function daemonLines({ alive, daemon, local }: Status, now: Date): string[] {
  if (daemon === null) return ["Bucardo has never been started. `bucardo start` starts it."];
  if (alive) return [`PID of Bucardo MCP: ${daemon.pid}${local ? "" : ` on ${daemon.host}`}`];
  const when = daemon.stopped === null ? "it did not stop in order" : `stopped at ${showTime(daemon.stopped, now)}`;
  return [`Bucardo is not running (last PID ${daemon.pid} on ${daemon.host}; ${when}). \`bucardo start\` starts it.`];
}

function rowOf({ sync, word, targets }: SyncStatus, now: Date, form: Form): string[] {
  const good = latest(targets.map((one) => one.lastGood));
  const bad = latest(targets.map((one) => one.lastBad));
  return [
    sync.name,
    word,
    good?.ended ? showTime(good.ended, now, form) : "none",
    good === null ? "" : showDuration(good, form),
    good === null
      ? ""
      : [good.upserted, good.deleted, ...(good.truncates > 0 ? [good.truncates] : [])].map((one) => showNumber(one, form)).join("/"),
    bad?.ended ? showTime(bad.ended, now, form) : "none",
    bad === null ? "" : showDuration(bad, form),
    lagOf(
      targets.map((one) => one.state),
      form,
    ),
  ];
}

function asideLine({ sync, targets }: SyncStatus): string[] {
  const rows = targets.reduce((sum, { state }) => sum + (state?.setAside ?? 0), 0);
  return rows === 0
    ? []
    : [`${sync.name}: ${rows} ${rows === 1 ? "row" : "rows"} set aside; \`bucardo list set-aside ${sync.name}\` shows them`];
}

/** Always two numbers: deltas waiting and their age at most; of the target that is furthest behind. */
export function lagOf(
  states: readonly ({ readonly deltas: number | null; readonly lagSeconds: number | null } | null)[],
  form: Form = PLAIN,
): string {
  const known = states.filter((state) => state !== null && state.deltas !== null);
  if (known.length === 0) return "unknown";
  const deltas = Math.max(...known.map((state) => state?.deltas ?? 0));
  const age = Math.max(...known.map((state) => state?.lagSeconds ?? 0));
  return deltas === 0 ? "0" : `${showNumber(deltas, form)} (${showInterval(age)})`;
}

function sorted(rows: string[][], { column, descending }: Sort): string[][] {
  const compared = rows.toSorted((a, b) => (a[column] ?? "").localeCompare(b[column] ?? "", "en", { numeric: true }));
  return descending ? compared.toReversed() : compared;
}
