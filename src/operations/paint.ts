import type { Io } from "./io.ts";

/** What a text means; a terminal without colours shows it as it is. */
export type Tone = "good" | "busy" | "warn" | "bad" | "off" | "strong" | "dim" | "plain";
export type Paint = (tone: Tone, text: string) => string;

const CODES: Readonly<Record<Exclude<Tone, "plain">, readonly [number, number]>> = {
  good: [32, 39],
  busy: [36, 39],
  warn: [33, 39],
  bad: [31, 39],
  off: [2, 22],
  strong: [1, 22],
  dim: [2, 22],
};

export const noPaint: Paint = (_tone, text) => text;

const colours: Paint = (tone, text) => {
  if (tone === "plain" || text === "") return text;
  const [on, off] = CODES[tone];
  return `\u001b[${on}m${text}\u001b[${off}m`;
};

/** Colours only on a terminal that knows them, and not where NO_COLOR is set to anything. */
export function paintFor(io: Io, env: NodeJS.ProcessEnv): Paint {
  return io.isTerminal && !env["NO_COLOR"] && env["TERM"] !== "dumb" ? colours : noPaint;
}

/** Whether marks and lines beyond ASCII can be shown. */
export function hasUnicode(env: NodeJS.ProcessEnv): boolean {
  return /utf-?8/i.test(env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "") && env["TERM"] !== "linux";
}
