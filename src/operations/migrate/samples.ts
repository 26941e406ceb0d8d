import { z } from "zod";
import { openLook } from "../../migrate/look.ts";
import { readSamples, requireMigration } from "../../migrate/state.ts";
import { defineOperation } from "../operation.ts";
import { endpointKeys, readPair } from "./endpoints.ts";
import { amount, count } from "./measure.ts";

export const migrateSamples = defineOperation({
  name: ["migrate", "samples"],
  summary: "Show how copy and lag of a move went over time",
  description: "What the plots of report and page are drawn from: at most 2000 points, however long the move takes.",
  group: "migration",
  effect: "reads",
  control: "none",
  input: z.object({ ...endpointKeys }),
  output: z.object({
    samples: z.array(
      z.object({ at: z.date(), phase: z.string(), done: z.number(), rate: z.number().nullable(), deltas: z.number().nullable() }),
    ),
  }),
  examples: [{ command: "bucardo migrate samples --json", about: "For a plot of one's own." }],
  async run(input, context) {
    await using old = await openLook(readPair(input, context).old, context.signal);
    await requireMigration(old);
    return { samples: await readSamples(old) };
  },
  print({ samples }, io) {
    for (const { at, phase, done, rate, deltas } of samples)
      io.out(
        `${at.toISOString().slice(0, 19).replace("T", " ")}  ${phase.padEnd(12)} ${phase === "copy" ? amount(done, "bytes") : count(done)}` +
          `${rate === null ? "" : `  ${count(rate)}/s`}${deltas === null ? "" : `  ${count(deltas)} deltas wait`}`,
      );
  },
});
