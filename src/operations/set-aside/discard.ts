import { z } from "zod";
import { writeSetAside } from "../../control/target-state.ts";
import { targetsOf } from "../../model/sync.ts";
import { countSetAside, discardSetAside } from "../../replicate/set-aside.ts";
import { confirm } from "../change.ts";
import { defineOperation } from "../operation.ts";
import { chooseRows, chosenRows, countText } from "./choose.ts";

export const discard = defineOperation({
  name: ["discard"],
  summary: "Forget rows that were set aside, without writing them",
  description:
    "The target stays as it is, and differs from the source in these rows until they change again: `bucardo compare` will name them. Rows of a target that had to " +
    "give way are forgotten the same way.",
  group: "data",
  effect: "writes",
  control: "required",
  noise: ["sync"],
  input: chosenRows,
  output: z.object({ messages: z.array(z.string()), rows: z.array(z.number()) }),
  examples: [{ command: "bucardo discard pepper 17", about: "This row is not wanted on the target." }],
  async run({ words: typed }, context) {
    const { sync, source, choice, rows } = await chooseRows(context, typed, true);
    const messages = [`${countText(rows.length)} of sync "${sync.name}" forgotten`];
    if (context.flags.dryrun) return { messages, rows: rows.map(({ id }) => id) };
    if (context.flags.confirm) await confirm(context, messages);
    const gone = await discardSetAside(source, { ...choice, ids: rows.map(({ id }) => id) });
    const left = await countSetAside(source, sync.id);
    for (const target of targetsOf(sync)) await writeSetAside(await context.control(), sync.id, target, left.get(target) ?? 0);
    return { messages, rows: gone };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});
