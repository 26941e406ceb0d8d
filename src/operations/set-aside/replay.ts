import { z } from "zod";
import { requestKick } from "../../control/kick.ts";
import { askReplay } from "../../replicate/set-aside.ts";
import { confirm } from "../change.ts";
import { defineOperation } from "../operation.ts";
import { chooseRows, chosenRows, countText } from "./choose.ts";

export const replay = defineOperation({
  name: ["replay"],
  summary: "Try rows again that were set aside",
  description:
    "Asks for a run that carries these rows as they are on the source then, a row that is gone as gone. What is refused again stays set aside. Without a daemon " +
    "they go with the next run.",
  group: "data",
  effect: "writes",
  control: "required",
  noise: ["sync"],
  input: chosenRows,
  output: z.object({ messages: z.array(z.string()), rows: z.array(z.number()) }),
  examples: [
    { command: "bucardo replay pepper all", about: "After the cause was mended." },
    { command: "bucardo replay pepper 17 18", about: "Two of them." },
  ],
  async run({ words: typed }, context) {
    const { sync, source, choice, rows } = await chooseRows(context, typed, true);
    const waiting = rows.filter(({ kind }) => kind === "refused").map(({ id }) => id);
    const messages = [
      waiting.length === 0
        ? `No rows of sync "${sync.name}" wait to be replayed`
        : `${countText(waiting.length)} of sync "${sync.name}" will be tried again; \`${context.program} kick ${sync.name} 0\` waits for it`,
    ];
    if (waiting.length === 0 || context.flags.dryrun) return { messages, rows: waiting };
    if (context.flags.confirm) await confirm(context, messages);
    const asked = await askReplay(source, { ...choice, ids: waiting });
    await requestKick(await context.control(), sync.id);
    return { messages, rows: asked };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});
