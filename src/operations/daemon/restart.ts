import { z } from "zod";
import { key, words } from "../input.ts";
import { interval } from "../interval.ts";
import { defineOperation } from "../operation.ts";
import { printStarted, startDaemon, startOutput } from "./start.ts";
import { stopDaemon, stopOutput } from "./stop.ts";

export const restart = defineOperation({
  name: ["restart"],
  summary: "Stop the daemon and start it again",
  description: "As `stop` and then `start`; when no daemon runs, it is only started.",
  group: "daemon",
  effect: "writes",
  http: { refused: "it begins or ends the very process that answers" },
  rehearsable: false,
  control: "required",
  rawWords: true,
  input: z.object({
    reason: words({ about: "Why; kept in the reason file.", value: "REASON" }),
    timeout: key(interval.default(300), { about: "How long to wait for each of the two.", value: "TIME" }),
  }),
  output: z.object({ stopped: stopOutput, started: startOutput }),
  examples: [{ command: "bucardo restart", about: "Runs that are going on are finished first." }],
  async run({ reason, timeout }, context) {
    const how = { reason: reason.join(" "), event: "restart", timeout } as const;
    const stopped = await stopDaemon(context, how);
    return { stopped, started: await startDaemon(context, how) };
  },
  print({ stopped, started }, io) {
    if (!stopped.stopped) io.out("No daemon was running");
    printStarted(started, io);
  },
});
