import type { Paint, Tone } from "../paint.ts";
import type { Status } from "./status-read.ts";
import { chooseColumns, columnsOf, MARGIN, type Cell, type Column } from "./watch-columns.ts";
import type { Note, WatchRow } from "./watch-row.ts";
import { age, cut, fold, harmless, short } from "./watch-words.ts";

export type Picture = {
  readonly daemon: Pick<Status, "alive" | "daemon" | "local" | "sources">;
  readonly rows: readonly WatchRow[];
  /** The control database does not answer; what is shown is what was seen last. */
  readonly trouble: string | null;
  readonly version: string;
  readonly now: Date;
};

export type Look = {
  readonly width: number;
  /** Lines there are; Infinity: as many as wanted. */
  readonly height: number;
  readonly unicode: boolean;
  readonly paint: Paint;
  readonly trend: (name: string) => readonly number[];
};

/** The screen as lines, none wider than `width` and no more than `height`. Pure. */
export function drawWatch(picture: Picture, look: Look): string[] {
  return allLines(picture, look).slice(0, look.height);
}

function allLines(picture: Picture, look: Look): string[] {
  const head = [...headLines(picture, look), ...picture.daemon.sources.flatMap(({ db, note }) => sourceLine(db, note, look)), ""];
  if (picture.rows.length === 0) return [...head, look.paint("dim", cut("No syncs yet. `bucardo add sync` makes one.", look.width, "~"))];
  const columns = columnsOf({ now: picture.now, unicode: look.unicode, trend: look.trend });
  const table = chooseColumns(columns, picture.rows, look.width);
  const line = (cells: readonly Cell[], mark: Cell): string =>
    trimmed(
      [mark, ...cells.map((cell, index) => fit(cell, table.widths[index] ?? 0, columns[table.names[index] ?? "name"], look))],
      look.paint,
    );
  const heads = line(
    table.names.map((name) => ({ text: columns[name].head, tone: "dim" as const })),
    { text: "", tone: "plain" },
  );
  const blocks = picture.rows.map((row) => ({
    row,
    lines: [
      line(
        table.names.map((name) => clean(columns[name].cell(row))),
        { text: markOf(row.tone, look.unicode), tone: row.tone },
      ),
      ...row.notes.flatMap((note) => noteLines(note, look)),
    ],
  }));
  return [...head, heads, ...fill(blocks, look.height - head.length - 1, look)];
}

type Block = { readonly row: WatchRow; readonly lines: readonly string[] };

/** Where not all fits, what needs somebody comes first and the rest is counted. */
function fill(blocks: readonly Block[], room: number, { paint, width }: Look): string[] {
  const all = blocks.flatMap(({ lines }) => lines);
  if (all.length <= room) return all;
  const sorted = blocks.toSorted((a, b) => urgency(b.row) - urgency(a.row) || (b.row.deltas ?? 0) - (a.row.deltas ?? 0));
  const shown: string[] = [];
  let count = 0;
  for (const { lines } of sorted) {
    if (shown.length + lines.length > room - 1) break;
    shown.push(...lines);
    count++;
  }
  const rest = sorted.slice(count).map(({ row }) => row);
  return [...shown, paint("dim", cut(`  and ${rest.length} more: ${tally(rest)}`, width, "~"))].slice(0, Math.max(0, room));
}

function urgency({ tone, notes }: WatchRow): number {
  return tone === "bad" ? 3 : notes.some((note) => note.tone === "warn") ? 2 : tone === "busy" ? 1 : 0;
}

function headLines({ daemon: { alive, daemon, local }, rows, trouble, version, now }: Picture, look: Look): string[] {
  const { paint, width, unicode } = look;
  const clock = now.toTimeString().slice(0, 8);
  const title = cut(`Bucardo ${version}`, width - clock.length - 1, "~");
  const lines = [`${paint("strong", title)}${" ".repeat(Math.max(1, width - title.length - clock.length))}${paint("dim", clock)}`];
  if (trouble !== null)
    lines.push(...fold(harmless(`${markOf("bad", unicode)} ${trouble}`), width, 3, "~").map((text) => paint("bad", text)));
  else if (daemon === null) lines.push(paint("warn", cut(`${markOf("warn", unicode)} never started: \`bucardo start\``, width, "~")));
  else if (alive) {
    const since = age((now.getTime() - daemon.started.getTime()) / 1000);
    const where = local ? "" : ` on ${harmless(daemon.host)}`;
    lines.push(`${paint("good", markOf("good", unicode))} ${cut(`daemon runs: pid ${daemon.pid}${where}, for ${since}`, width - 2, "~")}`);
  } else {
    const text = `${markOf("bad", unicode)} the daemon is not running${daemon.stopped === null ? ", and did not stop in order" : ""}: \`bucardo start\``;
    lines.push(paint("bad", cut(text, width, "~")));
  }
  if (rows.length > 0) {
    const deltas = Math.max(...rows.map((row) => row.deltas ?? 0));
    const oldest = Math.max(...rows.map((row) => row.ageSeconds ?? 0));
    const rate = rows.reduce((sum, row) => sum + (row.rate ?? 0), 0);
    const lag = deltas === 0 ? "no lag" : `lag at most ${short(deltas)} deltas, ${age(oldest)}`;
    lines.push(cut(`${rows.length} ${rows.length === 1 ? "sync" : "syncs"}: ${tally(rows)}; ${lag}; ${short(rate)} rows/s`, width, "~"));
  }
  return lines;
}

/** `10 good, 1 stopped` */
function tally(rows: readonly WatchRow[]): string {
  const counts = new Map<string, number>();
  for (const { word, tone } of rows) {
    const name = tone === "busy" ? "running" : word.toLowerCase();
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([word, number]) => `${number} ${word}`).join(", ");
}

function sourceLine(db: string, note: string | null, { paint, width }: Look): string[] {
  return note === null ? [] : fold(harmless(`${db}: ${note}`), width, 2, "~").map((text) => paint("warn", text));
}

function noteLines({ tone, text, advice }: Note, { width, paint, unicode }: Look): string[] {
  const indent = " ".repeat(MARGIN + 2);
  const room = Math.max(10, width - indent.length - 2);
  const arrow = unicode ? "↳ " : "> ";
  return [
    ...fold(harmless(text), room + 2, 3, "~").map((line) => `${indent}${paint(tone, line)}`),
    ...fold(harmless(advice ?? ""), room, 3, "~").map((line, index) => `${indent}${paint("dim", `${index === 0 ? arrow : "  "}${line}`)}`),
  ];
}

/** Each state has a mark of its own: colours are not for everybody. */
function markOf(tone: Tone, unicode: boolean): string {
  if (tone === "good") return unicode ? "●" : "+";
  if (tone === "bad") return unicode ? "✖" : "!";
  if (tone === "busy") return unicode ? "▶" : ">";
  if (tone === "warn") return unicode ? "▲" : "!";
  return unicode ? "○" : "-";
}

function clean(cell: Cell): Cell {
  return { ...cell, text: harmless(cell.text) };
}

function fit({ text, tone }: Cell, width: number, column: Column, { unicode }: Look): Cell {
  const fitting = cut(text, width, unicode ? "…" : "~");
  return { text: column.right ? fitting.padStart(width) : fitting.padEnd(width), tone };
}

function trimmed([mark, ...cells]: readonly Cell[], paint: Paint): string {
  const last = cells.at(-1);
  const shown = last === undefined ? cells : [...cells.slice(0, -1), { ...last, text: last.text.trimEnd() }];
  return `${paint(mark?.tone ?? "plain", mark?.text ?? "")}${" ".repeat(MARGIN - (mark?.text.length ?? 0))}${shown
    .map((cell) => paint(cell.tone, cell.text))
    .join("  ")}`.trimEnd();
}
