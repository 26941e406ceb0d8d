import { z } from "zod";
import type { RunRow } from "../../control/run.ts";
import { recentRates, type RecentRate } from "../../control/rate.ts";
import { bool, integer, key, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { hasUnicode, paintFor } from "../paint.ts";
import { chooseSyncs } from "./status-choose.ts";
import { statusDetail } from "./status-detail.ts";
import { readStatus, type Status } from "./status-read.ts";
import { daemonLines, statusTable } from "./status-table.ts";
import { RATE_SECONDS } from "./watch-look.ts";
import { watchRow } from "./watch-row.ts";
import { drawWatch } from "./watch-screen.ts";

/** `view`: how people asked to see it. */
const output = z.custom<
  Status & { readonly view: { readonly detailed: boolean; readonly sort: number; readonly rates?: readonly RecentRate[] } }
>();

export const status = defineOperation({
  name: ["status"],
  summary: "Show whether the daemon runs and how the syncs do",
  description:
    "Without names a table with a line per sync; with names, wildcards or all a block per sync with a line per target. Lag is always two " +
    "numbers: deltas waiting, and how old the oldest can be. State is Off while no daemon runs, whatever the last run was. " +
    "--show-days, --compress and --tsep=C change the form; BUCARDO_DATEFORMAT and BUCARDO_SHORTDATEFORMAT give patterns of to_char for times of other " +
    "days and of today.",
  group: "daemon",
  effect: "reads",
  // The key of a refused row is a value of the row.
  http: { hide: ["errorKey"] },
  control: "required",
  noise: ["sync", "syncs"],
  input: z.object({
    syncs: words({
      about: "Names of syncs, wildcards, or all; a number at the end is ignored, so that `kick x 0` can be edited.",
      value: "SYNC",
    }),
    sort: key(integer(-9, 9).default(1), { about: "Column of the table to sort by; negative: the other way round.", value: "N" }),
    modern: key(bool.default(false), {
      about: "The picture of `bucardo watch`, once: lag, rate, last run, errors with advice; as wide as the window.",
      flag: true,
    }),
    daysback: key(integer(0, 36_500).default(0), { about: "Runs older than so many days are left out; 0: none are.", value: "N" }),
  }),
  output,
  examples: [
    { command: "bucardo status", about: "All syncs." },
    { command: "bucardo_ctl status pepper", about: "One, in detail." },
    { command: "bucardo status --modern", about: "All, as `bucardo watch` shows them." },
  ],
  async run({ syncs, sort, modern, daysback }, context) {
    const control = await context.control();
    const all = forgetOld(await readStatus(control), daysback);
    const names = /^\d+$/.test(syncs.at(-1) ?? "") ? syncs.slice(0, -1) : syncs;
    const rates = modern ? await recentRates(control, RATE_SECONDS) : undefined;
    const view = { detailed: names.length > 0, sort, ...(rates === undefined ? {} : { rates }) };
    return { ...all, ...(names.length === 0 ? {} : { syncs: chooseSyncs(all, names) }), view };
  },
  print(of, io, { config, version, env }) {
    const { detailed, sort, rates } = of.view;
    const { "show-days": days, compress, tsep } = config.options;
    const form = {
      today: env["BUCARDO_SHORTDATEFORMAT"] ?? null,
      otherDay: env["BUCARDO_DATEFORMAT"] ?? null,
      days: days === true,
      compress: compress === true,
      thousands: typeof tsep === "string" ? tsep : "",
    };
    const now = new Date();
    if (rates !== undefined) {
      const picture = { daemon: of, rows: of.syncs.map((one) => watchRow(one, rates)), trouble: null, version, now };
      const look = { width: io.width, height: Infinity, unicode: hasUnicode(env), paint: paintFor(io, env), trend: () => [] };
      for (const line of drawWatch(picture, look)) io.out(line);
      return;
    }
    const order = { column: Math.max(0, Math.abs(sort) - 1), descending: sort < 0 };
    const lines = detailed
      ? [...daemonLines(of, now), ...of.syncs.flatMap((one) => statusDetail(one, of.sources, now, form))]
      : statusTable(of, order, now, form);
    for (const line of lines) io.out(line);
  },
});

/** As if runs that ended so many days ago had not been. */
function forgetOld(of: Status, days: number): Status {
  if (days === 0) return of;
  const since = Date.now() - days * 86_400_000;
  const young = (run: RunRow | null): RunRow | null => (run === null || (run.ended !== null && run.ended.getTime() < since) ? null : run);
  return {
    ...of,
    syncs: of.syncs.map((one) => ({
      ...one,
      targets: one.targets.map((target) => ({ ...target, lastGood: young(target.lastGood), lastBad: young(target.lastBad) })),
    })),
  };
}
