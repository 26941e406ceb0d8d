import { z } from "zod";
import { select } from "../pattern.ts";
import { integer, key, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { BucardoError } from "../../model/error.ts";
import { statusDetail } from "./status-detail.ts";
import { readStatus, type Status } from "./status-read.ts";
import { daemonLines, statusTable } from "./status-table.ts";

/** `view`: how people asked to see it. */
const output = z.custom<Status & { readonly view: { readonly detailed: boolean; readonly sort: number } }>();

export const status = defineOperation({
  name: ["status"],
  summary: "Show whether the daemon runs and how the syncs do",
  description:
    "Without names a table with a line per sync; with names, wildcards or all a block per sync with a line per target. Lag is always two " +
    "numbers: deltas waiting, and how old the oldest can be. State is Off while no daemon runs, whatever the last run was.",
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
    "show-days": key(text.optional(), { about: "No effect: the date is shown when it is not today's.", flag: true, legacy: true }),
    compress: key(text.optional(), { about: "No effect.", flag: true, legacy: true }),
    daysback: key(text.optional(), { about: "No effect: the last run counts, whenever it was.", legacy: true }),
  }),
  output,
  examples: [
    { command: "bucardo status", about: "All syncs." },
    { command: "bucardo_ctl status pepper", about: "One, in detail." },
  ],
  async run({ syncs, sort }, context) {
    const all = await readStatus(await context.control());
    const names = /^\d+$/.test(syncs.at(-1) ?? "") ? syncs.slice(0, -1) : syncs;
    if (names.length === 0) return { ...all, view: { detailed: false, sort } };
    const { chosen, unmatched } = select(all.syncs, names, (one) => one.sync.name);
    const unknown = unmatched.filter((word) => word.toLowerCase() !== "all");
    if (unknown.length > 0) {
      throw new BucardoError(
        "unknown-object",
        `Unknown sync${unknown.length > 1 ? "s" : ""}: ${unknown.map((word) => `"${word}"`).join(", ")}.`,
        {
          advice: "`bucardo list syncs` shows the existing ones.",
        },
      );
    }
    return { ...all, syncs: chosen, view: { detailed: true, sort } };
  },
  print(of, io) {
    const { detailed, sort } = of.view;
    const now = new Date();
    const order = { column: Math.max(0, Math.abs(sort) - 1), descending: sort < 0 };
    const lines = detailed
      ? [...daemonLines(of, now), ...of.syncs.flatMap((one) => statusDetail(one, of.sources, now))]
      : statusTable(of, order, now);
    for (const line of lines) io.out(line);
  },
});
