import type { Tone } from "../paint.ts";
import type { WatchRow } from "./watch-row.ts";
import { age, ago, cut, short, sparkline } from "./watch-words.ts";

export type Cell = { readonly text: string; readonly tone: Tone };
export type Column = { readonly head: string; readonly right: boolean; readonly cell: (row: WatchRow) => Cell };

export type ColumnOptions = {
  readonly now: Date;
  readonly unicode: boolean;
  /** Deltas that were waiting at the last looks, per sync; the newest last. */
  readonly trend: (name: string) => readonly number[];
};

/** Beyond this lag's age it is time to look. */
const OLD_SECONDS = 60;

/** All columns in their order; `chooseColumns` takes those that fit. */
export function columnsOf({ now, unicode, trend }: ColumnOptions): Readonly<Record<ColumnName, Column>> {
  const mark = unicode ? "…" : "~";
  const plain = (text: string, tone: Tone = "plain"): Cell => ({ text, tone });
  return {
    name: { head: "SYNC", right: false, cell: (row) => plain(cut(row.name, 32, mark), "strong") },
    way: {
      head: "WAY",
      right: false,
      cell: ({ from, to }) => plain(cut(`${from.join(", ")} ${unicode ? "→" : ">"} ${to.join(", ")}`, 36, mark), "dim"),
    },
    state: { head: "STATE", right: false, cell: (row) => plain(row.word, row.tone) },
    deltas: { head: "DELTAS", right: true, cell: ({ deltas }) => (deltas === null ? plain("?", "dim") : plain(short(deltas))) },
    age: { head: "AGE", right: true, cell: (row) => ageCell(row) },
    trend: { head: "TREND", right: false, cell: ({ name }) => plain(unicode ? sparkline(trend(name)) : "", "busy") },
    rate: { head: "ROWS/S", right: true, cell: ({ rate }) => (rate === null ? plain("-", "dim") : plain(short(rate))) },
    ran: {
      head: "LAST RUN",
      right: true,
      cell: ({ last }) => (last === null ? plain("never", "dim") : plain(ago(last.ended, now), last.good ? "plain" : "bad")),
    },
    did: {
      head: "IT DID",
      right: false,
      cell: ({ last }) =>
        last === null
          ? plain("")
          : plain(
              last.good ? `${short(last.rows)} ${last.rows === 1 ? "row" : "rows"} in ${took(last.ms)}` : `failed after ${took(last.ms)}`,
              "dim",
            ),
    },
  };
}

function ageCell({ deltas, ageSeconds }: WatchRow): Cell {
  if (deltas === null || ageSeconds === null) return { text: "?", tone: "dim" };
  if (deltas === 0) return { text: "-", tone: "dim" };
  return { text: age(ageSeconds), tone: ageSeconds > OLD_SECONDS ? "warn" : "plain" };
}

function took(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : age(ms / 1000);
}

const NAMES = ["name", "way", "state", "deltas", "age", "trend", "rate", "ran", "did"] as const;
export type ColumnName = (typeof NAMES)[number];
/** What goes first where the window is narrow. */
const DROPPED: readonly ColumnName[] = ["did", "trend", "way", "rate", "ran"];
/** Room for a mark before the first column. */
export const MARGIN = 2;
const BETWEEN = 2;
const NAME_LEAST = 8;

export type Table = { readonly names: readonly ColumnName[]; readonly widths: readonly number[] };

/** The columns that fit into `width`, and how wide each is; the name gives way when nothing else can. */
export function chooseColumns(columns: Readonly<Record<ColumnName, Column>>, rows: readonly WatchRow[], width: number): Table {
  const widthOf = (name: ColumnName): number =>
    Math.max(columns[name].head.length, ...rows.map((row) => columns[name].cell(row).text.length));
  const all = new Map(NAMES.map((name) => [name, widthOf(name)]));
  let names = NAMES.filter((name) => name !== "trend" || rows.some((row) => columns.trend.cell(row).text !== ""));
  const total = (): number => names.reduce((sum, name) => sum + (all.get(name) ?? 0) + BETWEEN, MARGIN - BETWEEN);
  for (const dropped of DROPPED) if (total() > width) names = names.filter((name) => name !== dropped);
  // The name gives way as far as it can be told from others.
  const least = (): number => total() - Math.max(0, (all.get("name") ?? 0) - NAME_LEAST);
  for (const dropped of ["age", "deltas"]) if (least() > width) names = names.filter((name) => name !== dropped);
  const over = Math.max(0, total() - width);
  return { names, widths: names.map((name) => Math.max(4, (all.get(name) ?? 0) - (name === "name" ? over : 0))) };
}
