import type { Judgement, Target } from "./benchmark.ts";
import { median, ratios, valuesOf, type Sample } from "./statistics.ts";
import { number } from "./table.ts";

/** The median of the ratios of `contender` to `reference` is at most, or at least, so much. */
export function ratioTarget(
  text: string,
  of: { contender: string; to: string; metric: string } & ({ atMost: number } | { atLeast: number }),
): Target {
  return {
    text,
    judge: (samples) => judged(median(ratios(samples, of.contender, of.to, of.metric)), of),
  };
}

/** The median of a metric is at most, or at least, so much. */
export function valueTarget(
  text: string,
  of: { contender: string; metric: string; unit: string } & ({ atMost: number } | { atLeast: number }),
): Target {
  return { text, judge: (samples) => judged(median(valuesOf(samples, of.contender, of.metric)), of, ` ${of.unit}`) };
}

function judged(value: number, limit: { atMost: number } | { atLeast: number }, unit = ""): { met: boolean; measured: string } | null {
  if (Number.isNaN(value)) return null;
  const met = "atMost" in limit ? value <= limit.atMost : value >= limit.atLeast;
  return { met, measured: `${number(value)}${unit}` };
}

/** In the medians of the same rounds `contender` has the highest value (lowest: false turns it round). Null when none of the others was there. */
export function aboveAllTarget(text: string, of: { contender: string; others: readonly string[]; metric: string }): Target {
  return { text, judge: (samples) => bestOf(samples, of, (ratio) => ratio > 1) };
}

export function belowAllTarget(text: string, of: { contender: string; others: readonly string[]; metric: string }): Target {
  return { text, judge: (samples) => bestOf(samples, of, (ratio) => ratio < 1) };
}

function bestOf(
  samples: readonly Sample[],
  of: { contender: string; others: readonly string[]; metric: string },
  better: (ratio: number) => boolean,
): Judgement | null {
  const compared = of.others
    .map((other) => ({ other, ratio: median(ratios(samples, of.contender, other, of.metric)) }))
    .filter(({ ratio }) => !Number.isNaN(ratio));
  if (compared.length === 0) return null;
  return {
    met: compared.every(({ ratio }) => better(ratio)),
    measured: compared.map(({ other, ratio }) => `${number(ratio)} of ${other}`).join(", "),
  };
}
