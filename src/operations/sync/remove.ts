import { z } from "zod";
import { deleteSync, readSyncs } from "../../control/sync.ts";
import { chooseOrFail } from "../choose.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { applySyncChange } from "./apply.ts";

export const removeSync = defineOperation({
  name: ["remove", "sync"],
  summary: "Remove syncs, and everything that was installed for them",
  description:
    "Triggers and delta tables that no other sync needs go from the source at once. When the source does not answer, the command says so and changes nothing; " +
    "with --force the sync is removed here, and `bucardo validate all` clears the source later. Groups and tables stay registered.",
  group: "syncs",
  effect: "writes",
  control: "required",
  input: z.object({ names: words({ about: "Names, patterns, or all.", value: "SYNC", min: 1 }) }),
  output: z.object({ messages: z.array(z.string()), removed: z.array(z.string()) }),
  examples: [{ command: "bucardo remove sync pepper", about: "Nothing of it is left on any database." }],
  async run({ names }, context) {
    const chosen = chooseOrFail(await readSyncs(await context.control()), names, "sync");
    const { messages } = await applySyncChange(context, {
      work: async (control) => {
        for (const { id } of chosen) await deleteSync(control, id);
        return { messages: chosen.length === 0 ? ["No syncs to remove"] : chosen.map(({ name }) => `Removed sync "${name}"`) };
      },
    });
    return { messages: [...messages], removed: chosen.map(({ name }) => name) };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});
