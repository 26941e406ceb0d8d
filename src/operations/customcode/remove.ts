import { z } from "zod";
import { deleteCustomCode, readCustomCodes } from "../../control/customcode.ts";
import { change } from "../change.ts";
import { chooseOrFail } from "../choose.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";

export const removeCustomCode = defineOperation({
  name: ["remove", "customcode"],
  summary: "Remove custom code",
  description: "A run that is going on still calls it; the next one does not.",
  group: "syncs",
  effect: "writes",
  control: "required",
  input: z.object({ names: words({ about: "Names, patterns, or all.", value: "NAME", min: 1 }) }),
  output: z.object({ messages: z.array(z.string()), removed: z.array(z.string()) }),
  examples: [{ command: "bucardo remove customcode emails", about: "Its text is gone, too." }],
  async run({ names }, context) {
    const { messages, removed } = await change(context, async (control) => {
      const chosen = chooseOrFail(await readCustomCodes(control), names, "customcode");
      for (const { id } of chosen) await deleteCustomCode(control, id);
      return { messages: chosen.map(({ name }) => `Removed customcode "${name}"`), removed: chosen.map(({ name }) => name) };
    });
    return { messages: [...messages], removed: [...removed] };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});
