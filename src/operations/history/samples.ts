import { z } from "zod";
import { controlClock, readSamples, RESTING_SECONDS, type SampleRow, type Step } from "../../control/sample.ts";
import { readSync } from "../../control/sync.ts";
import { key } from "../input.ts";
import { showInterval } from "../interval.ts";
import { defineOperation } from "../operation.ts";
import { fillRest, type Point } from "./fill-rest.ts";
import { readSyncTarget, syncTargetFields } from "./sync-target.ts";

const SPANS = {
  "1h": { step: 10, seconds: 3600 },
  "2d": { step: 300, seconds: 2 * 86_400 },
  "90d": { step: 3600, seconds: 90 * 86_400 },
} as const satisfies Record<string, { step: Step; seconds: number }>;

/** at, deltas, age, rows, bytes, runs, failed */
const point = z.tuple([z.number(), z.number().nullable(), z.number().nullable(), z.number(), z.number(), z.number(), z.number()]);

export const listSamples = defineOperation({
  name: ["list", "samples"],
  synonyms: [["list", "lag"]],
  summary: "Show lag and work of a sync over time",
  description:
    "Deltas that waited and their age, rows and bytes carried, runs and failures: of the last hour every 10 s, of two days every 5 minutes, of 90 days every hour. " +
    "Of a step the most that waited and the sum of what was done. Without a sync: all of them together. Older points are dropped.",
  group: "syncs",
  effect: "reads",
  control: "required",
  noise: ["sync"],
  input: z.object({
    ...syncTargetFields,
    span: key(z.enum(["1h", "2d", "90d"]).default("1h"), { about: "How far back: 1h (default), 2d or 90d.", value: "SPAN" }),
  }),
  output: z.object({
    from: z.date(),
    to: z.date(),
    stepSeconds: z.number(),
    /** Points further apart are not to be joined: nobody looked. */
    gapSeconds: z.number(),
    series: z.array(z.object({ sync: z.string().nullable(), target: z.string().nullable(), points: z.array(point) })),
  }),
  examples: [{ command: "bucardo list samples pepper span=2d --json", about: "For a plot of one's own." }],
  async run({ span, ...given }, context) {
    const control = await context.control();
    const { sync, target } = readSyncTarget(given);
    if (sync !== null) await readSync(control, sync);
    const { step, seconds } = SPANS[span];
    const rows = await readSamples(control, { step, seconds, sync, target });
    const to = await controlClock(control);
    const gapSeconds = Math.max(RESTING_SECONDS + 3 * 10, 2 * step);
    return {
      from: new Date(to.getTime() - seconds * 1000),
      to,
      stepSeconds: step,
      gapSeconds,
      series: seriesOf(rows).map((one) => ({ ...one, points: fillRest(one.points, step, gapSeconds) })),
    };
  },
  print({ series, stepSeconds }, io) {
    if (series.length === 0) io.out("No records found");
    for (const { sync, target, points } of series) {
      io.out(`${sync === null ? "All syncs" : `${sync} to ${target}`}, every ${showInterval(stepSeconds)}:`);
      for (const [at, deltas, age, rows, , runs, failed] of points)
        io.out(
          `  ${new Date(at * 1000).toISOString().slice(0, 19).replace("T", " ")}  ${deltas ?? "-"} deltas${age === null ? "" : `, ${showInterval(age)}`}; ` +
            `${rows} rows in ${runs} runs${failed === 0 ? "" : `, ${failed} failed`}`,
        );
    }
  },
});

/** Rows of one target stand together, in the order of time. */
function seriesOf(rows: readonly SampleRow[]): { sync: string | null; target: string | null; points: Point[] }[] {
  const series: { sync: string | null; target: string | null; points: Point[] }[] = [];
  for (const { at, sync, target, deltas, lagSeconds, rows: count, bytes, runs, failed } of rows) {
    const last = series.at(-1);
    const now: Point = [at, deltas, lagSeconds, count, bytes, runs, failed];
    if (last !== undefined && last.sync === sync && last.target === target) last.points.push(now);
    else series.push({ sync, target, points: [now] });
  }
  return series;
}
