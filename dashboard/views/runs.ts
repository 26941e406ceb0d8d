import type { RunDetail } from "../../src/http/page-types.ts";
import { h, type Child, type Node } from "../dom/node.ts";
import { badge, section } from "../parts/parts.ts";
import { table } from "../parts/table.ts";
import { get } from "../state/api.ts";
import type { App } from "../state/app.ts";
import type { SyncHealth, Tone } from "../state/health.ts";
import { ago, clock, count, counted, duration, size } from "../words.ts";

const LIMIT = 50;
const TONES: Readonly<Record<string, Tone>> = { good: "good", empty: "off", bad: "bad" };

/** The last runs, and what they did to each table. */
export function runSections(app: App, { sync, targets }: SyncHealth): Node[] {
  const version = targets.map(({ lastGood, lastBad, running }) => `${lastGood?.id} ${lastBad?.id} ${running?.id}`).join();
  const { data, refused } = app.resources.use<{ readonly runs: readonly RunDetail[] }>(
    `runs ${sync.name}`,
    (signal) => get("list/runs", { sync: sync.name, limit: LIMIT }, signal),
    version,
  );
  const why = refused?.error.message ?? "Loading…";
  const runs = data?.runs ?? null;
  return [
    section(
      "runs-title",
      "Runs",
      runs !== null && h("span", { class: "quiet" }, `the last ${runs.length}`),
      runs === null ? h("p", { class: "quiet" }, why) : runTable(app, runs, targets.length > 1),
    ),
    section(
      "tables-title",
      "Tables",
      runs !== null && h("span", { class: "quiet" }, "in these runs"),
      runs === null ? h("p", { class: "quiet" }, why) : tableCounts(app, runs),
    ),
  ];
}

function runTable(app: App, runs: readonly RunDetail[], several: boolean): Node {
  if (runs.length === 0) return h("p", { class: "quiet" }, "None yet.");
  const now = Date.now();
  return table(app, "runs", {
    label: "Runs",
    rows: runs,
    keyOf: ({ id }) => String(id),
    columns: [
      {
        name: "outcome",
        head: "Outcome",
        cell: ({ outcome }) =>
          badge(
            outcome === null ? "busy" : (TONES[outcome] ?? "off"),
            outcome === null ? "Runs" : outcome === "empty" ? "Nothing to do" : outcome === "good" ? "Good" : "Bad",
          ),
      },
      { name: "when", head: "Ended", cell: (run) => whenCell(run, several, now) },
      { name: "took", head: "Took", number: true, order: tookOf, cell: (run) => (run.ended === null ? "" : duration(tookOf(run))) },
      {
        name: "rows",
        head: "Rows",
        number: true,
        order: (run) => run.upserted + run.deleted,
        cell: (run) => [
          count(run.upserted + run.deleted),
          run.deleted > 0 && h("span", { key: "d", class: "under" }, `${count(run.deleted)} deleted`),
        ],
      },
      { name: "bytes", head: "Bytes", number: true, wide: true, order: ({ bytes }) => bytes, cell: ({ bytes }) => size(bytes) },
      { name: "why", head: "Why it ran", wide: true, cell: ({ reason }) => reason },
    ],
  });
}

function whenCell({ ended, started, target, error }: RunDetail, several: boolean, now: number): Child {
  return [
    h(
      "time",
      { key: "t", datetime: ended ?? started, title: ago(ended ?? started, now) },
      ended === null ? `since ${clock(started, now)}` : clock(ended, now),
    ),
    several && h("span", { key: "to", class: "under" }, `to ${target}`),
    error !== null && h("span", { key: "e", class: "under bad" }, error.message),
  ];
}

function tookOf({ started, ended }: RunDetail): number {
  return ended === null ? -1 : (Date.parse(ended) - Date.parse(started)) / 1000;
}

type Sum = {
  readonly table: string;
  upserted: number;
  deleted: number;
  bytes: number;
  ms: number;
  setAside: number;
  overwritten: number;
  runs: number;
  why: string | null;
};

function tableCounts(app: App, runs: readonly RunDetail[]): Child {
  const sums = new Map<string, Sum>();
  for (const run of runs)
    for (const one of run.tables) {
      const sum = sums.get(one.table) ?? {
        table: one.table,
        upserted: 0,
        deleted: 0,
        bytes: 0,
        ms: 0,
        setAside: 0,
        overwritten: 0,
        runs: 0,
        why: null,
      };
      sum.upserted += one.upserted;
      sum.deleted += one.deleted;
      sum.bytes += one.bytes ?? 0;
      sum.ms += one.ms ?? 0;
      sum.setAside += one.setAside ?? 0;
      sum.overwritten += one.overwritten ?? 0;
      sum.runs++;
      if (one.refilled) sum.why ??= one.why ?? "whole table";
      sums.set(one.table, sum);
    }
  if (sums.size === 0) return h("p", { class: "quiet" }, "Nothing was changed in any table.");
  const search = app.ui("table search", "").toLowerCase();
  const rows = [...sums.values()].filter(({ table: name }) => name.toLowerCase().includes(search));
  return [
    h(
      "div",
      { class: "controls", key: "controls" },
      h(
        "label",
        { class: "search" },
        h("span", { class: "unseen" }, "Find a table"),
        h("input", {
          type: "search",
          placeholder: "Find a table",
          value: app.ui("table search", ""),
          on: { input: (event: Event) => app.setUi("table search", (event.target as HTMLInputElement).value) },
        }),
      ),
      h("span", { class: "quiet" }, counted(rows.length, "table")),
    ),
    rows.length === 0
      ? h("p", { key: "none", class: "quiet" }, "None that fits.")
      : table(app, "tables", {
          label: "Tables",
          rows,
          keyOf: ({ table: name }) => name,
          order: "-rows",
          rowHeight: 44,
          columns: [
            {
              name: "name",
              head: "Table",
              order: ({ table: name }) => name,
              cell: ({ table: name, why }) => [
                h("span", { key: "n", class: "oneline", title: name }, name),
                why !== null && h("span", { key: "w", class: "under oneline" }, `filled anew: ${why}`),
              ],
            },
            { name: "rows", head: "Upserted", number: true, order: ({ upserted }) => upserted, cell: ({ upserted }) => count(upserted) },
            { name: "deleted", head: "Deleted", number: true, order: ({ deleted }) => deleted, cell: ({ deleted }) => count(deleted) },
            {
              name: "aside",
              head: "Set aside",
              number: true,
              wide: true,
              order: ({ setAside }) => setAside,
              cell: ({ setAside }) => (setAside === 0 ? "" : count(setAside)),
            },
            { name: "bytes", head: "Bytes", number: true, wide: true, order: ({ bytes }) => bytes, cell: ({ bytes }) => size(bytes) },
            { name: "took", head: "Time", number: true, wide: true, order: ({ ms }) => ms, cell: ({ ms }) => duration(ms / 1000) },
          ],
        }),
  ];
}
