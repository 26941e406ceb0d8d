import { phases, phaseWords, type Phase } from "../../migrate/phase.ts";
import type { MigrationProgress, TableProgress } from "../../migrate/progress.ts";
import { amount, count, duration, size } from "./measure.ts";

/** What there is to see of a move at one moment. Times in milliseconds. */
export type View = {
  readonly from: string;
  readonly to: string;
  readonly phase: Phase;
  /** Nobody works on it right now: it stands where it was. */
  readonly idle: boolean;
  readonly elapsedMs: number;
  /** How long each phase took so far; absent: not begun. */
  readonly took: Readonly<Partial<Record<Phase, number>>>;
  readonly progress: MigrationProgress | null;
};

/** Marks and colours; a terminal without them gets plain letters. */
export type Paint = {
  readonly good: (text: string) => string;
  readonly now: (text: string) => string;
  readonly dim: (text: string) => string;
};

export const plain: Paint = { good: (text) => text, now: (text) => text, dim: (text) => text };

const BAR = 24;
const NAME = 30;

/** The live picture: every phase a line, under the present one what it does and its tables. No line is longer than `width`. Pure. */
export function draw(view: View, width: number, paint: Paint = plain): string[] {
  const at = phases.indexOf(view.phase);
  const head = `${view.from} -> ${view.to}`;
  const clock = view.idle ? "nobody works on it" : duration(view.elapsedMs);
  const lines = [spread(head, clock, width)];
  for (const [index, phase] of phases.entries()) {
    const done = index < at || (index === at && phase === "ready");
    const mark = done ? paint.good("+") : index === at ? paint.now(">") : " ";
    const took = view.took[phase];
    // To be ready takes no time.
    const time = took === undefined || index > at || phase === "ready" ? "" : duration(took);
    const words = spread(`${phase.padEnd(12)} ${phaseWords[phase]}`, time, width - 3);
    lines.push(` ${mark} ${index === at ? paint.now(words) : index > at ? paint.dim(words) : words}`);
    if (index === at && view.progress !== null && view.progress.phase === phase) lines.push(...drawProgress(view.progress, width, paint));
  }
  return lines;
}

function drawProgress(progress: MigrationProgress, width: number, paint: Paint): string[] {
  const summary = summarize(progress);
  const lines = summary === "" ? [] : [cut(`     ${summary}`, width)];
  for (const table of progress.tables) lines.push(drawTable(table, progress.unit, paint, width));
  return lines;
}

/** `4.1 GB of 6.7 GB, 143 MB/s, 18 s left`: one line for a plain log as well. */
export function summarize(progress: MigrationProgress): string {
  const { doing, done, expected, unit, rate, secondsLeft, lag } = progress;
  const parts = [
    doing,
    expected === null
      ? done > 0
        ? amount(done, unit)
        : null
      : `${unit === "bytes" ? size(Math.min(done, expected)) : count(Math.min(done, expected))} of ${amount(expected, unit)}`,
    rate === null || rate < 1 ? null : `${unit === "bytes" ? size(rate) : Math.round(rate).toLocaleString("en-US")}/s`,
    secondsLeft === null || secondsLeft < 1 ? null : `${duration(secondsLeft * 1000)} left`,
    lag === null ? null : `lag ${lag.deltas.toLocaleString("en-US")} deltas, ${duration(lag.ageSeconds * 1000)}`,
  ];
  return parts.filter((part) => part !== null).join(", ");
}

function drawTable({ table, done, expected, state }: TableProgress, unit: string, paint: Paint, width: number): string {
  const share = state === "done" ? 1 : expected === null || expected === 0 ? 0 : Math.min(1, done / expected);
  const filled = Math.round(share * BAR);
  const bar = `[${"#".repeat(filled)}${".".repeat(BAR - filled)}]`;
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const name = cut(table, width < 72 ? 14 : NAME).padEnd(width < 72 ? 14 : NAME);
  const text = cut(`     ${name} ${width < 72 ? "" : `${bar} `}${percent}  ${state === "waits" ? "waits" : amount(done, unit)}`, width);
  return state === "copies" || state === "compares" ? text : paint.dim(text);
}

function spread(left: string, right: string, width: number): string {
  const room = width - right.length - (right === "" ? 0 : 1);
  const text = cut(left, room);
  return right === "" ? text : `${text.padEnd(room)} ${right}`;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(1, width - 1))}~`;
}
