import { z } from "zod";
import { abort } from "../../migrate/abort.ts";
import { bool, key } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { confirmName } from "./confirm.ts";
import { endpointKeys, forgetPair, readPair } from "./endpoints.ts";

export const yesKey = key(bool.default(false), { about: "Answer the question, for scripts.", flag: true, short: "y" });

export const migrateAbort = defineOperation({
  name: ["migrate", "abort"],
  summary: "Give a move up: both sides become what they were",
  description:
    "Before the cutover, in any phase, also after a crash: takes capture, deltas and the state of the move off the old side, and everything that the move made " +
    "off the new one (the whole database when the move made it). The old side is in use all the time. After the cutover, go back first.",
  group: "migration",
  effect: "writes",
  http: { refused: "a person types the name of what is given up" },
  rehearsable: false,
  control: "none",
  input: z.object({
    ...endpointKeys,
    yes: yesKey,
    keep_new: key(bool.default(false), { about: "Leave on the new side what is there.", flag: true }),
  }),
  output: z.object({ from: z.string(), to: z.string() }),
  examples: [{ command: "bucardo migrate abort --yes", about: "Without a question." }],
  async run(input, context) {
    const pair = readPair(input, context);
    await confirmName(
      context,
      pair.new.dbname,
      input.keep_new ? `The move of ${pair.old.place} is given up.` : `The move is given up: everything in ${pair.new.place} goes.`,
      input.yes,
    );
    await abort({ ...pair, signal: context.signal, onMessage: (line) => context.io.err(line) }, { keepNew: input.keep_new });
    forgetPair(context, pair);
    return { from: pair.old.place, to: pair.new.place };
  },
  print: ({ from }, io) => io.out(`The move is given up. ${from} carries nothing of ours any more.`),
});
