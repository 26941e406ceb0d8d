import { z } from "zod";
import { deleteDbgroup, readDbgroups } from "../../control/dbgroup.ts";
import { deleteSync, readSyncs } from "../../control/sync.ts";
import { chooseOrFail } from "../choose.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { applySyncChange } from "../sync/apply.ts";
import { syncsInTheWay } from "../sync/in-the-way.ts";

export const removeDbgroup = defineOperation({
  name: ["remove", "dbgroup"],
  summary: "Remove groups of databases",
  description: "Not while a sync uses one; with --force these syncs are removed too.",
  group: "databases",
  effect: "writes",
  control: "required",
  input: z.object({ names: words({ about: "Names, patterns, or all.", value: "GROUP", min: 1 }) }),
  output: z.object({ messages: z.array(z.string()), removed: z.array(z.string()) }),
  examples: [{ command: "bucardo remove dbgroup move", about: "The databases stay registered." }],
  async run({ names }, context) {
    const control = await context.control();
    const chosen = chooseOrFail(await readDbgroups(control), names, "dbgroup");
    const users = (await readSyncs(control)).filter((sync) => chosen.some((group) => group.name === sync.dbgroup));
    const going = syncsInTheWay(context, "Cannot remove dbgroup: it is being used by one or more syncs", users);
    const { messages } = await applySyncChange(context, {
      work: async (session) => {
        for (const { id } of going) await deleteSync(session, id);
        for (const { name } of chosen) await deleteDbgroup(session, name);
        return {
          messages: [...going.map(({ name }) => `Removed sync "${name}"`), ...chosen.map(({ name }) => `Removed dbgroup "${name}"`)],
        };
      },
    });
    return { messages: [...messages], removed: chosen.map(({ name }) => name) };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});
