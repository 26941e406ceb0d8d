import type { MigrationSamples, MigrationView, Snapshot } from "../../src/http/page-types.ts";
import { h, type Child, type Node } from "../dom/node.ts";
import { badge, bar, callout, facts, mark, section } from "../parts/parts.ts";
import { rich } from "../parts/rich.ts";
import { table } from "../parts/table.ts";
import { plot } from "../plot/plot.ts";
import { get } from "../state/api.ts";
import type { App } from "../state/app.ts";
import { clock, count, counted, duration, lagText, short, size } from "../words.ts";
import { turnSection } from "./turn.ts";

/** A guided move: how far it is, what it waits for, and the way over and back. */
export function movePage(app: App, seen: Snapshot): Child[] {
  const move = seen.migration;
  if (move === null)
    return [
      h("h1", { key: "title", tabindex: -1 }, "Move"),
      h("p", { key: "none" }, rich("No move is looked at here. `bucardo migrate watch --http` shows one.")),
    ];
  return [
    h(
      "div",
      { key: "head", class: "page-head" },
      h("div", {}, h("h1", { tabindex: -1 }, "Move"), h("p", { class: "way" }, `${move.from} → ${move.to}`)),
      headBadge(move),
    ),
    ...(move.failure === null
      ? []
      : [
          h(
            "div",
            { key: "failure" },
            callout(
              "bad",
              "The last attempt failed.",
              move.failure,
              `Start it again: it goes on where it stood. \`bucardo migrate start\``,
            ),
          ),
        ]),
    ...(move.decided && move.working === null
      ? [
          h(
            "div",
            { key: "decided" },
            callout(
              "bad",
              "A cutover was decided and broke off.",
              "Applications may write to the new side already.",
              "Cut over again: it does the rest.",
            ),
          ),
        ]
      : []),
    h("div", { key: "two", class: "two wide-left" }, phases(move), h("div", {}, lagSection(move), turnSection(app, move))),
    ...progressSection(app, move),
    plots(app, move),
    steps(app, move),
  ];
}

function headBadge(move: MigrationView): Node {
  if (move.openSide === "new") return badge("good", "Switched over");
  if (move.working !== null) return badge("busy", move.phase === "ready" ? "At work" : capital(move.phase));
  if (move.failure !== null) return badge("bad", "Failed");
  return move.phase === "ready" ? badge("good", "Ready for the cutover") : badge("warn", "Nobody works on it");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function phases(move: MigrationView): Node {
  const word = { done: "done", now: "now", waits: "to come" } as const;
  return section(
    "phases-title",
    "Phases",
    h("span", { class: "quiet" }, `since ${clock(move.startedAt, Date.now())}`),
    h(
      "ol",
      { class: "phases" },
      ...move.phases.map(({ name, words, state, tookMs }) =>
        h(
          "li",
          { key: name, class: state, "aria-current": state === "now" ? "step" : null },
          mark(state === "done" ? "good" : state === "now" ? (name === "ready" ? "good" : "busy") : "off"),
          h("span", { class: "phase-name" }, capital(name), h("span", { class: "unseen" }, ` (${word[state]})`)),
          h("span", { class: "phase-words" }, words),
          h("span", { class: "phase-took" }, tookMs === null || name === "ready" ? "" : duration(tookMs / 1000)),
        ),
      ),
    ),
  );
}

function amount(value: number, unit: string): string {
  return unit === "bytes" ? size(value) : `${count(value)} ${unit}`;
}

function progressSection(app: App, move: MigrationView): Node[] {
  const { progress } = move;
  if (progress === null || move.phase === "ready") return [];
  const { doing, done, expected, unit, rate, secondsLeft, tables } = progress;
  const share = expected === null || expected === 0 ? null : done / expected;
  const line = [
    expected === null ? (done > 0 ? amount(done, unit) : null) : `${amount(Math.min(done, expected), unit)} of ${amount(expected, unit)}`,
    share === null ? null : `${Math.floor(Math.min(1, share) * 100)} %`,
    rate === null || rate < 1 ? null : `${amount(rate, unit)}/s`,
    secondsLeft === null || secondsLeft < 1 ? null : `${duration(secondsLeft)} left`,
  ].filter((part) => part !== null);
  return [
    section(
      "progress-title",
      capital(move.phase),
      doing !== null && h("span", { class: "quiet oneline" }, doing),
      bar(`${capital(move.phase)}: ${line.join(", ")}`, share),
      h("p", { class: "progress-line" }, line.join(" · ")),
      tables.length === 0 ? null : tableProgress(app, tables, unit),
    ),
  ];
}

type TableProgress = NonNullable<MigrationView["progress"]>["tables"][number];

function tableProgress(app: App, tables: readonly TableProgress[], unit: string): Node {
  const shareOf = ({ done, expected, state }: TableProgress): number =>
    state === "done" ? 1 : expected === null || expected === 0 ? 0 : Math.min(1, done / expected);
  return table(app, "move tables", {
    label: "Tables of this phase",
    rows: tables,
    keyOf: ({ table: name }) => name,
    rowHeight: 40,
    columns: [
      { name: "state", head: "State", cell: ({ state }) => badge(state === "done" ? "good" : state === "copies" ? "busy" : "off", state) },
      {
        name: "name",
        head: "Table",
        order: ({ table: name }) => name,
        cell: ({ table: name }) => h("span", { class: "oneline", title: name }, name),
      },
      { name: "bar", head: "Done", order: shareOf, cell: (one) => bar(one.table, shareOf(one)) },
      {
        name: "done",
        head: unit === "bytes" ? "Bytes" : capital(unit),
        number: true,
        order: ({ done }) => done,
        cell: ({ done, expected }) => (expected === null ? amount(done, unit) : `${amount(done, unit)} of ${amount(expected, unit)}`),
      },
    ],
  });
}

function lagSection(move: MigrationView): Node {
  return section(
    "lag-title",
    "In step",
    null,
    facts(
      ["In use", move.openSide === "old" ? `the old side (${move.fromDatabase})` : `the new side (${move.toDatabase})`],
      ["Lag", move.openSide === "new" ? "the old side follows" : move.lag === null ? "not captured yet" : lagText(move.lag)],
      ["Worker", move.working ?? "nobody"],
      ["Contents", `${counted(move.tables, "table")}, ${counted(move.sequences, "sequence")}`],
    ),
  );
}

function plots(app: App, move: MigrationView): Node {
  const { data, refused } = app.resources.use<MigrationSamples>(
    `move samples ${move.id}`,
    (signal) => get("migrate/samples", {}, signal),
    move.phase,
    10_000,
  );
  const samples = (data?.samples ?? []).map((sample) => ({ ...sample, time: Date.parse(sample.at) / 1000 }));
  const from = samples[0]?.time ?? 0;
  const to = Math.max(from + 10, samples.at(-1)?.time ?? 0);
  const shared = { from, to, gapSeconds: Math.max(60, (to - from) / 20) };
  const copied = samples.filter(({ phase }) => phase === "copy");
  return section(
    "plots-title",
    "Over time",
    null,
    samples.length < 2
      ? h("p", { class: "quiet" }, refused?.error.message ?? (data === null ? "Loading…" : "Nothing yet."))
      : h(
          "div",
          { class: "plots" },
          plot(app, "move lag", {
            ...shared,
            title: "Lag, deltas waiting",
            series: [{ name: "Deltas", points: samples.map(({ time, deltas }) => [time, deltas] as const) }],
            show: short,
            unit: "count",
            least: 1,
          }),
          copied.length > 1 &&
            plot(app, "move rate", {
              ...shared,
              from: copied[0]?.time ?? from,
              to: Math.max((copied[0]?.time ?? from) + 10, copied.at(-1)?.time ?? to),
              title: "Copied per second",
              series: [{ name: "Bytes", points: copied.map(({ time, rate }) => [time, rate] as const) }],
              show: size,
              unit: "bytes",
              least: 1024,
            }),
        ),
  );
}

function steps(app: App, move: MigrationView): Child {
  const now = Date.now();
  return section(
    "steps-title",
    "What was done",
    null,
    move.steps.length === 0
      ? h("p", { class: "quiet" }, "Nothing yet.")
      : table(app, "steps", {
          label: "Steps",
          rows: move.steps.toReversed(),
          keyOf: ({ began, phase }) => `${began} ${phase}`,
          columns: [
            {
              name: "outcome",
              head: "Outcome",
              cell: ({ outcome }) => badge(outcome === null ? "busy" : outcome === "done" ? "good" : "bad", outcome ?? "now"),
            },
            {
              name: "name",
              head: "Step",
              cell: ({ phase, detail }) => [
                h("span", { key: "n", class: "strong" }, capital(phase)),
                typeof detail?.["error"] === "string" && h("span", { key: "e", class: "under bad" }, detail["error"]),
              ],
            },
            { name: "when", head: "Began", cell: ({ began }) => clock(began, now) },
            {
              name: "took",
              head: "Took",
              number: true,
              cell: ({ began, ended }) => (ended === null ? "" : duration((Date.parse(ended) - Date.parse(began)) / 1000)),
            },
          ],
        }),
  );
}
