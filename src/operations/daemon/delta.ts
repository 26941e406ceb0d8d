import { z } from "zod";
import { countDeltas, type Waiting } from "../../capture/pending.ts";
import { captureVersion } from "../../capture/schema.ts";
import { BucardoError } from "../../model/error.ts";
import { words } from "../input.ts";
import { showInterval } from "../interval.ts";
import { defineOperation } from "../operation.ts";
import { readSources } from "./sources.ts";

const row = z.object({ sync: z.string(), target: z.string(), table: z.string(), deltas: z.number(), ageSeconds: z.number() });

export const delta = defineOperation({
  name: ["delta"],
  summary: "Count the deltas that wait",
  description:
    "Per source database, and with -v per sync, target and table. Counts what a target still lacks, not what only waits to be purged. " +
    "The age says how long ago the target was last brought up to date: no delta is older.",
  group: "daemon",
  effect: "reads",
  control: "required",
  input: z.object({
    databases: words({
      about: "Names of source databases or wildcards; default: all. `total` leaves out the single databases.",
      value: "DB",
    }),
  }),
  output: z.object({
    total: z.number(),
    onlyTotal: z.boolean(),
    databases: z.array(z.object({ db: z.string(), deltas: z.number(), ageSeconds: z.number(), waiting: z.array(row) })),
  }),
  examples: [
    { command: "bucardo delta", about: "All sources." },
    { command: "bucardo delta total", about: "One number." },
  ],
  async run({ databases: named }, context) {
    const names = named.filter((word) => word.toLowerCase() !== "total");
    const { sources, unmatched } = await readSources(await context.control(), names);
    if (unmatched.length > 0)
      throw new BucardoError("unknown-object", `No such source database: ${unmatched.join(", ")}`, {
        advice: "`bucardo list dbs` shows the registered ones.",
      });
    if (sources.length === 0)
      throw new BucardoError("unknown-object", "No database is the source of a sync.", { advice: "`bucardo add sync` makes one." });
    const databases = await Promise.all(
      sources.map(async ({ db, syncs }) => {
        const source = await context.connectTo(db);
        const ids = syncs.map((sync) => sync.id);
        const waiting = (await captureVersion(source)) === 0 ? [] : await countDeltas(source, ids);
        return {
          db,
          deltas: sum(waiting),
          ageSeconds: Math.max(0, ...waiting.map((one) => one.ageSeconds)),
          waiting: waiting.map(({ syncId: _, ...rest }) => rest),
        };
      }),
    );
    return { total: databases.reduce((total, one) => total + one.deltas, 0), onlyTotal: named.length > names.length, databases };
  },
  print({ total, onlyTotal, databases }, io) {
    io.out(`Total deltas across all targets: ${total}`);
    if (onlyTotal) return;
    for (const { db, deltas, ageSeconds, waiting } of databases) {
      io.out(`Total deltas for database ${db}: ${deltas}${deltas === 0 ? "" : ` (at most ${showInterval(ageSeconds)} old)`}`);
      if (io.verbose > 0)
        for (const one of waiting) io.out(`  ${one.sync} to ${one.target}: ${one.table} ${one.deltas} (${showInterval(one.ageSeconds)})`);
    }
  },
});

function sum(waiting: readonly Waiting[]): number {
  return waiting.reduce((total, one) => total + one.deltas, 0);
}
