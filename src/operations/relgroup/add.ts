import { z } from "zod";
import { findRelgroup } from "../../control/relgroup.ts";
import { key, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { findAll } from "../relation/add.ts";
import { chooseDatabase } from "../relation/choose-db.ts";
import { joinRelgroup, section } from "../relation/join.ts";
import { register } from "../relation/register.ts";
import { applySyncChange } from "../sync/apply.ts";

export const addRelgroup = defineOperation({
  name: ["add", "relgroup"],
  summary: "Make a group of tables and sequences, or put more into one",
  description:
    "Tables that are not registered yet are registered on the way. In a group that a sync uses, they are captured and replicated at once.",
  group: "relations",
  effect: "writes",
  control: "required",
  input: z.object({
    words: words({
      about: "Name of the group, then names or patterns of tables and sequences; all: every table with a key.",
      value: "GROUP [PATTERN]",
      min: 1,
    }),
    db: key(text.optional(), { about: "Their database.", value: "DB" }),
  }),
  output: z.object({ messages: z.array(z.string()), relations: z.array(z.string()) }),
  examples: [{ command: "bucardo add relgroup orders shop.orders shop.items db=A", about: "Two tables." }],
  async run({ words: [name = "", ...patterns], db }, context) {
    const control = await context.control();
    const existing = await findRelgroup(control, name);
    const database = patterns.length === 0 ? null : await chooseDatabase(control, db ?? existing?.members[0]?.db);
    const found = database === null ? [] : await findAll(context, database.name, patterns);
    const { messages } = await applySyncChange(context, {
      work: async (session) => {
        const { added, all } = await register(
          session,
          found.map((candidate) => ({ db: database?.name ?? "", schema: candidate.schema, name: candidate.name, kind: candidate.kind })),
        );
        const joined = await joinRelgroup(session, name, all);
        const exists = existing !== null && patterns.length === 0 ? [`Relgroup "${name}" already exists`] : [];
        return { messages: [...exists, ...section("Added the following tables or sequences:", added), ...joined] };
      },
    });
    return { messages: [...messages], relations: found.map((candidate) => `${candidate.schema}.${candidate.name}`) };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});
