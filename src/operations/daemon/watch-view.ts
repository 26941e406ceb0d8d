import { sleep } from "../../base/sleep.ts";
import type { Context } from "../context.ts";
import { hasUnicode, paintFor } from "../paint.ts";
import { FullScreen } from "./full-screen.ts";
import { Changes } from "./watch-changes.ts";
import { watchRow } from "./watch-row.ts";
import { drawWatch, type Picture } from "./watch-screen.ts";
import { harmless } from "./watch-words.ts";
import type { Glance } from "./watch-look.ts";

/** How what was seen is told. */
export type WatchView = Disposable & {
  show(glance: Glance): void;
  /** What was seen last stays; nothing newer is to be had. */
  trouble(message: string): void;
  /** Until it is time to look again. */
  pause(ms: number): Promise<void>;
};

export function openWatchView(context: Context): WatchView {
  if (context.flags.json) return jsonView(context);
  return context.io.isTerminal ? screenView(context) : lineView(context);
}

/** Looks that the trend shows. */
const TREND = 16;

function screenView({ io, env, version, signal }: Context): WatchView {
  const screen = new FullScreen(io, signal);
  const trends = new Map<string, number[]>();
  const [paint, unicode] = [paintFor(io, env), hasUnicode(env)];
  let last: Glance | null = null;
  let trouble: string | null = null;
  const draw = (): void => {
    if (last === null) return;
    const { status, rates } = last;
    const picture: Picture = { daemon: status, rows: status.syncs.map((one) => watchRow(one, rates)), trouble, version, now: new Date() };
    // The last column stays free: some terminals begin a new line after it.
    const size = { width: Math.max(20, io.width - 1), height: Math.max(4, io.height ?? 24) };
    screen.draw(drawWatch(picture, { ...size, unicode, paint, trend: (name) => trends.get(name) ?? [] }));
  };
  const resized = io.onResize?.(draw);
  return {
    show(glance) {
      last = glance;
      trouble = null;
      for (const one of glance.status.syncs) {
        const { deltas } = watchRow(one, []);
        trends.set(one.sync.name, [...(trends.get(one.sync.name) ?? []), deltas ?? 0].slice(-TREND));
      }
      draw();
    },
    trouble(message) {
      trouble = message;
      draw();
    },
    pause: (ms) => sleep(ms, signal),
    [Symbol.dispose]() {
      resized?.[Symbol.dispose]();
      screen[Symbol.dispose]();
    },
  };
}

/** Where nobody rewrites lines: one per change of state. */
function lineView({ io, signal }: Context): WatchView {
  const told = new Map<string, string>();
  const tell = (key: string, text: string): void => {
    if (told.get(key) === text) return;
    told.set(key, text);
    io.out(`${new Date().toTimeString().slice(0, 8)} ${harmless(text)}`);
  };
  return {
    show({ status, rates }) {
      told.delete("trouble");
      tell("daemon", status.alive ? `daemon runs: pid ${status.daemon?.pid ?? "?"}` : "the daemon is not running");
      for (const one of status.syncs) {
        const { name, word, tone, notes } = watchRow(one, rates);
        // What a run is just doing is no change of state.
        const state = tone === "busy" ? (told.get(name)?.slice(name.length + 2) ?? "running") : [word, ...notes.map(noteText)].join("; ");
        tell(name, `${name}: ${state}`);
      }
    },
    trouble: (message) => tell("trouble", message),
    pause: (ms) => sleep(ms, signal),
    [Symbol.dispose]: () => undefined,
  };
}

function noteText({ text, advice }: { readonly text: string; readonly advice: string | null }): string {
  return advice === null ? text : `${text} ${advice}`;
}

function jsonView({ io, signal }: Context): WatchView {
  const changes = new Changes();
  const write = (events: readonly object[]): void => {
    for (const event of events) io.write(`${JSON.stringify({ at: new Date(), ...event })}\n`);
  };
  return {
    show: ({ status, rates }) => write(changes.of(status, rates)),
    trouble: (message) => write(changes.trouble(message)),
    pause: (ms) => sleep(ms, signal),
    [Symbol.dispose]: () => undefined,
  };
}
