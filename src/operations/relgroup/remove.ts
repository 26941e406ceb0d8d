import { z } from "zod";
import { deleteRelgroup, readRelgroups } from "../../control/relgroup.ts";
import { deleteSync, readSyncs } from "../../control/sync.ts";
import { chooseOrFail } from "../choose.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { applySyncChange } from "../sync/apply.ts";
import { syncsInTheWay } from "../sync/in-the-way.ts";

export const removeRelgroup = defineOperation({
  name: ["remove", "relgroup"],
  summary: "Remove groups of tables",
  description: "Not while a sync uses one; with --force these syncs are removed too. The tables stay registered.",
  group: "relations",
  effect: "writes",
  control: "required",
  input: z.object({ names: words({ about: "Names, patterns, or all.", value: "GROUP", min: 1 }) }),
  output: z.object({ messages: z.array(z.string()), removed: z.array(z.string()) }),
  examples: [{ command: "bucardo remove herd orders", about: "The old word works too." }],
  async run({ names }, context) {
    const control = await context.control();
    const chosen = chooseOrFail(await readRelgroups(control), names, "relgroup");
    const users = (await readSyncs(control)).filter((sync) => chosen.some((group) => group.name === sync.relgroup));
    const going = syncsInTheWay(context, "Cannot remove relgroup: it is being used by one or more syncs", users);
    const { messages } = await applySyncChange(context, {
      work: async (session) => {
        for (const { id } of going) await deleteSync(session, id);
        for (const { name } of chosen) await deleteRelgroup(session, name);
        return {
          messages: [...going.map(({ name }) => `Removed sync "${name}"`), ...chosen.map(({ name }) => `Removed relgroup "${name}"`)],
        };
      },
    });
    return { messages: [...messages], removed: chosen.map(({ name }) => name) };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});
