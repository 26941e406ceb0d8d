import { z } from "zod";
import { finish } from "../../migrate/finish.ts";
import { bool, key, text } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { comparedLines, comparedOf, comparedOutput } from "./compared.ts";
import { confirmName } from "./confirm.ts";
import { endpointKeys, forgetPair, readPair } from "./endpoints.ts";
import { writeReport } from "./report.ts";

/** Tables that people are told of without -v. */
const SHOWN = 20;

export const migrateFinish = defineOperation({
  name: ["migrate", "finish"],
  summary: "End a move after its cutover; there is no way back from then on",
  description:
    "Takes capture, deltas, the fence and the state of the move off both sides: nothing of ours is left. The old database takes writes again then, " +
    "unless --old-read-only sets default_transaction_read_only for it; better still, take it away. Tells what was compared, table by table: rows and their hash.",
  group: "migration",
  effect: "writes",
  http: { refused: "a person types the name of what is given up" },
  rehearsable: false,
  control: "none",
  input: z.object({
    ...endpointKeys,
    yes: key(bool.default(false), { about: "Answer the question, for scripts.", flag: true, short: "y" }),
    old_read_only: key(bool.default(false), { about: "Leave the old database read-only (ALTER DATABASE .. SET).", flag: true }),
    report: key(text.optional(), { about: "Write the report of `migrate report` first, while there is something to tell.", value: "FILE" }),
    without_old: key(bool.default(false), { about: "Clean only the new side: the old server is gone.", flag: true }),
  }),
  output: z.object({ from: z.string(), to: z.string(), tables: z.array(comparedOutput) }),
  examples: [{ command: "bucardo migrate finish --old-read-only", about: "When the new server has proved itself." }],
  async run(input, context) {
    const pair = readPair(input, context);
    await confirmName(context, pair.new.dbname, `${pair.new.place} stays in use, and ${pair.old.place} no longer follows it.`, input.yes);
    if (input.report !== undefined) await writeReport(pair, context, input.report);
    const tables = await finish({ ...pair, signal: context.signal }, { withoutOld: input.without_old, oldReadOnly: input.old_read_only });
    forgetPair(context, pair);
    return { from: pair.old.place, to: pair.new.place, tables: comparedOf(tables) };
  },
  print({ to, tables }, io) {
    io.out(`The move is finished: ${to} carries nothing of ours any more.`);
    if (tables.length > 0) for (const line of comparedLines(tables, io.verbose > 0 ? Number.POSITIVE_INFINITY : SHOWN)) io.out(line);
  },
});
