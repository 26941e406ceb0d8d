import { z } from "zod";
import { parseHttpAddress } from "./http-address.ts";

const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^(ms|msecs?|milliseconds?)$/, 1],
  [/^(s|secs?|seconds?|)$/, 1000],
  [/^(m|mins?|minutes?)$/, 60_000],
  [/^(h|hours?|hrs?)$/, 3_600_000],
  [/^(d|days?)$/, 86_400_000],
  [/^(w|weeks?)$/, 604_800_000],
];

/** `90` (seconds), `0.5`, `250 ms`, `2 minutes`, `1 hour 30 minutes`: milliseconds, or null. */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim().toLowerCase();
  if (!/^(\d+(\.\d+)?\s*[a-z]*[\s,]*)+$/.test(trimmed)) return null;
  let total = 0;
  for (const [, amount = "", unit = ""] of trimmed.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]*)/g)) {
    const factor = UNITS.find(([name]) => name.test(unit))?.[1];
    if (factor === undefined) return null;
    total += Number(amount) * factor;
  }
  return Math.round(total);
}

/** `1048576`, `64 kB`, `1.5GB`: bytes (powers of 1024), or null. */
export function parseSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmgt]?)(?:i?b)?|bytes?)$/i.exec(text.trim());
  if (!match) return null;
  const power = ["", "k", "m", "g", "t"].indexOf((match[2] ?? "").toLowerCase());
  return Math.round(Number(match[1]) * 1024 ** power);
}

/** The words that older versions take for yes and no; null for all others. */
export function parseSwitch(text: string): boolean | null {
  const word = text.trim().toLowerCase();
  if (["1", "t", "true", "on", "yes", "y"].includes(word)) return true;
  return ["0", "f", "false", "off", "no", "n"].includes(word) ? false : null;
}

/** Text in, value out; says what it wants when the text is no good. */
function parsed<T>(parse: (text: string) => T | null, wanted: string) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== null) return value;
    context.addIssue({ code: "custom", message: `must be ${wanted}, not "${text}"` });
    return z.NEVER;
  });
}

export const duration = parsed(parseDuration, 'a time such as "90" (seconds), "250 ms" or "2 minutes"');
export const toggle = parsed(parseSwitch, "on or off");
export const plainText = z.string();
export const httpAddress = parsed(parseHttpAddress, 'an address such as "127.0.0.1:8432", or off');

/** Bytes. */
export const size = parsed((text) => parseSize(text) || null, 'a size such as "256 MB"');

/** Milliseconds; `none`, `0` or nothing at all is null. */
export const durationOrNone = parsed<{ ms: number | null }>((text) => {
  if (/^(none|0|)$/i.test(text.trim())) return { ms: null };
  const ms = parseDuration(text);
  return ms === null ? null : { ms: ms === 0 ? null : ms };
}, 'a time such as "90" (seconds) or "15 minutes", or "none"').transform(({ ms }) => ms);

/** Bytes; `none` or nothing at all is null. */
export const sizeOrNone = parsed<{ bytes: number | null }>((text) => {
  if (/^(none|)$/i.test(text.trim())) return { bytes: null };
  const bytes = parseSize(text);
  return bytes === null ? null : { bytes };
}, 'a size such as "500 MB" or "20 GB", or "none"').transform(({ bytes }) => bytes);

export function whole(from: number, to: number) {
  return parsed((text) => {
    const value = /^\d+$/.test(text.trim()) ? Number(text) : NaN;
    return value >= from && value <= to ? value : null;
  }, `a whole number from ${from} to ${to}`);
}

export function choice<const Word extends string>(...words: readonly Word[]) {
  return parsed((text): Word | null => words.find((word) => word === text.trim().toLowerCase()) ?? null, `one of ${words.join(", ")}`);
}

/** The name of a syslog facility, with or without LOG_. */
export const facility = parsed(
  (text) => (/^(log_)?(kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|authpriv|ftp|local[0-7])$/i.test(text.trim()) ? text : null),
  "a facility of syslog such as LOG_LOCAL1",
);

/** Nothing, or an address that a POST can be sent to; or, stored, what stands for it. */
export const webUrl = parsed(
  (text) => (text === "" || /^(env:|enc:v1:)/.test(text) || (/^https?:\/\//i.test(text) && URL.canParse(text)) ? text : null),
  "a URL that begins with https:// or http://",
);
