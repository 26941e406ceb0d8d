import { z } from "zod";
import { orAbort } from "../../base/abort.ts";
import { sleep } from "../../base/sleep.ts";
import { describeError } from "../../model/error.ts";
import { interval } from "../interval.ts";
import { key, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { look } from "./watch-look.ts";
import { openWatchView } from "./watch-view.ts";

/** An answer that takes longer is a trouble that is told. */
const PATIENCE_MS = 5000;

export const watch = defineOperation({
  name: ["watch"],
  summary: "Look at the daemon and the syncs while they work",
  description:
    "State, lag (deltas waiting and their age), rate and last run of each sync, errors with what to do about them, drawn anew until Ctrl-C. " +
    "Where not all syncs fit into the window, those that need somebody come first. Colours only on a terminal, and not with NO_COLOR. " +
    "Without a terminal a line per change of state; with --json an object a line, for each change.\n\n" +
    "It reads the control database alone, goes on when that is away for a while, and changes nothing.",
  group: "daemon",
  effect: "reads",
  http: { refused: "the event stream tells the same" },
  control: "required",
  noise: ["sync", "syncs"],
  input: z.object({
    syncs: words({ about: "Names of syncs, wildcards, or all; all when none is given.", value: "SYNC" }),
    every: key(interval.optional(), { about: "How often to look (default 1 s).", value: "PERIOD" }),
  }),
  output: z.object({}),
  streams: true,
  examples: [
    { command: "bucardo watch", about: "All syncs, live." },
    { command: "bucardo watch 'shop*' --every 5", about: "Some of them, every five seconds." },
    { command: "bucardo watch --json", about: "Every change as a line, for programs." },
  ],
  async run({ syncs, every }, context) {
    // What is wrong at the start is an error; what goes wrong later is shown, and tried again.
    let glance = await look(context, syncs);
    using view = openWatchView(context);
    const ms = Math.max(100, (every ?? 1) * 1000);
    for (;;) {
      view.show(glance);
      try {
        await orAbort(view.pause(ms), context.signal);
        glance = await patiently(look(context, syncs), context.signal, () => view.trouble(SLOW));
      } catch (error) {
        if (context.signal.aborted) return {};
        // What matters first: a narrow window cuts the rest.
        view.trouble(`trying again: ${describeError(error).message}`);
      }
    }
  },
  print: () => undefined,
});

const SLOW = "the control database has not answered for 5 s";

/** The answer; `late` is called when it takes its time. */
async function patiently<T>(answer: Promise<T>, signal: AbortSignal, late: () => void): Promise<T> {
  const ended = new AbortController();
  sleep(PATIENCE_MS, ended.signal).then(late, () => undefined);
  try {
    return await orAbort(answer, signal);
  } finally {
    ended.abort();
  }
}
