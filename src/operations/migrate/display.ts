import { styleText } from "node:util";
import { phaseWords, type Phase } from "../../migrate/phase.ts";
import type { MigrationProgress } from "../../migrate/progress.ts";
import type { Io } from "../io.ts";
import { duration } from "./measure.ts";
import { draw, plain, summarize, type Paint, type View } from "./view.ts";

/** How progress is told. `auto`: live on a terminal, else plain lines. */
export const displayKinds = ["auto", "live", "plain", "json", "none"] as const;
export type DisplayKind = (typeof displayKinds)[number];

export type Display = {
  show(view: View): void;
  /** A line that stays above the picture. */
  say(line: string): void;
  /** The picture stays as it is; nothing is rewritten any more. */
  end(): void;
};

/** Plain lines come when the phase changes, and this often within one. */
const PLAIN_MS = 10_000;
/** More often than this nobody sees a difference. */
const LIVE_MS = 200;

export function openDisplay(io: Io, kind: DisplayKind, now: () => number = () => performance.now()): Display {
  const chosen = kind === "auto" ? (io.isTerminal ? "live" : "plain") : kind;
  if (chosen === "live") return liveDisplay(io, now);
  if (chosen === "plain") return plainDisplay(io, now);
  if (chosen === "json") return jsonDisplay(io);
  return { show: () => {}, say: () => {}, end: () => {} };
}

/** Colours only where the terminal has them and nobody asked for none. */
export function paintOf(io: Io): Paint {
  if (!io.isTerminal || process.env["NO_COLOR"]) return plain;
  return {
    good: (text) => styleText("green", text),
    now: (text) => styleText("bold", text),
    dim: (text) => styleText("dim", text),
  };
}

function liveDisplay(io: Io, now: () => number): Display {
  const paint = paintOf(io);
  let drawn = 0;
  let last: View | null = null;
  let at = -Infinity;
  const wipe = (): void => {
    if (drawn > 0) io.write(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  };
  const paintView = (view: View): void => {
    wipe();
    const lines = draw(view, io.width - 1, paint);
    io.write(`${lines.join("\n")}\n`);
    drawn = lines.length;
    at = now();
  };
  return {
    show(view) {
      const changed = last?.phase !== view.phase;
      last = view;
      if (changed || now() - at >= LIVE_MS) paintView(view);
    },
    say(line) {
      wipe();
      io.out(line);
      if (last !== null) paintView(last);
    },
    end() {
      if (last !== null) paintView(last);
      drawn = 0;
      last = null;
    },
  };
}

function plainDisplay(io: Io, now: () => number): Display {
  let phase: Phase | null = null;
  let at = -Infinity;
  return {
    show(view) {
      const changed = phase !== view.phase;
      const took = phase === null ? undefined : view.took[phase];
      if (changed && took !== undefined) io.out(`${phase}: done in ${duration(took)}`);
      phase = view.phase;
      // The command says it itself, with what comes next.
      if (view.phase === "ready") return;
      const words = view.progress?.phase === view.phase ? summarize(view.progress) : "";
      if (changed || (words !== "" && now() - at >= PLAIN_MS)) {
        io.out(`${view.phase}: ${words === "" ? phaseWords[view.phase] : words}`);
        at = now();
      }
    },
    say: (line) => io.out(line),
    end: () => {},
  };
}

/** One object a line, for programs: every change as it comes. */
function jsonDisplay(io: Io): Display {
  const line = (of: object): void => io.write(`${JSON.stringify(of)}\n`);
  let shown: MigrationProgress | null = null;
  let phase: Phase | null = null;
  return {
    show(view) {
      if (phase !== view.phase) line({ event: "phase", phase: view.phase, elapsedMs: Math.round(view.elapsedMs) });
      phase = view.phase;
      if (view.progress !== null && view.progress !== shown) line({ event: "progress", ...view.progress });
      shown = view.progress;
    },
    say: (text) => line({ event: "message", text }),
    end: () => {},
  };
}
