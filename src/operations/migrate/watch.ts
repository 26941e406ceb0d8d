import { z } from "zod";
import { sleep } from "../../base/sleep.ts";
import { lookAt, openLook } from "../../migrate/look.ts";
import { interval } from "../interval.ts";
import { key } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { endpointKeys, readPair } from "./endpoints.ts";
import { statusLines, statusOf, statusOutput } from "./status.ts";

export const migrateWatch = defineOperation({
  name: ["migrate", "watch"],
  summary: "Look at a move while it goes on",
  description:
    "The picture of `migrate status`, drawn anew until the move is ready or Ctrl-C; with --json one object a line. Changes nothing.",
  group: "migration",
  effect: "reads",
  http: { refused: "the event stream tells the same" },
  control: "none",
  input: z.object({
    ...endpointKeys,
    every: key(interval.optional(), { about: "How often to look (default 1 s).", value: "PERIOD" }),
  }),
  output: statusOutput,
  examples: [{ command: "bucardo migrate watch", about: "In another terminal, or on another machine." }],
  async run(input, context) {
    const pair = readPair(input, context);
    await using old = await openLook(pair.old, context.signal);
    for (let drawn = 0; ;) {
      const status = statusOf(pair, await lookAt(old));
      const lines = statusLines(status, context.io, context.program);
      if (status.phase === "ready" && status.worker === null) {
        if (drawn > 0) context.io.write(`\u001b[${drawn}A\u001b[J`);
        return status;
      }
      if (context.flags.json) context.io.write(`${JSON.stringify(status)}\n`);
      else {
        if (drawn > 0 && context.io.isTerminal) context.io.write(`\u001b[${drawn}A\u001b[J`);
        for (const line of lines) context.io.out(line);
        drawn = context.io.isTerminal ? lines.length : 0;
      }
      await sleep((input.every ?? 1) * 1000, context.signal);
    }
  },
  print: (status, io, { program }) => statusLines(status, io, program).forEach((line) => io.out(line)),
});
