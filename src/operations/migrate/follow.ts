import { z } from "zod";
import { follow } from "../../migrate/follow.ts";
import { key } from "../input.ts";
import { interval } from "../interval.ts";
import { defineOperation } from "../operation.ts";
import { endpointKeys, readPair } from "./endpoints.ts";
import { counted, duration } from "./measure.ts";

export const migrateFollow = defineOperation({
  name: ["migrate", "follow"],
  summary: "Keep the other side of a move in step until Ctrl-C",
  description:
    "Carries changes from the side in use to the other one: before the cutover to the new server, after it back to the old one, so that `switchback` takes " +
    "moments. Nothing is lost while it does not run: changes wait on the side in use, and take disk there. `cutover` and `switchback` take over from it.",
  group: "migration",
  effect: "writes",
  http: { refused: "it works until Ctrl-C" },
  rehearsable: false,
  control: "none",
  input: z.object({
    ...endpointKeys,
    every: key(interval.optional(), { about: "Pause between two runs (default 1 s).", value: "PERIOD" }),
    for: key(interval.optional(), { about: "End after this time instead of at Ctrl-C.", value: "PERIOD" }),
  }),
  output: z.object({ runs: z.number(), rows: z.number(), lag: z.object({ deltas: z.number(), ageSeconds: z.number() }) }),
  examples: [{ command: "bucardo migrate follow", about: "In a terminal of its own, between `start` and `cutover`." }],
  async run(input, context) {
    const pair = readPair(input, context);
    return follow({
      ...pair,
      signal: context.signal,
      pauseMs: (input.every ?? 1) * 1000,
      limitMs: input.for ? input.for * 1000 : null,
      onRun: ({ rows, lag }) => {
        if (rows > 0 && !context.flags.json)
          context.io.out(
            `${counted(rows, "row")} carried; ${lag.deltas === 0 ? "no lag" : `lag ${counted(lag.deltas, "delta")}, ${duration(lag.ageSeconds * 1000)}`}`,
          );
      },
      onMessage: (line) => context.io.err(line),
    });
  },
  print: ({ runs, rows }, io) => io.out(`${counted(runs, "run")}, ${counted(rows, "row")} carried.`),
});
