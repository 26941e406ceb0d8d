import { z } from "zod";
import { readDatabases } from "../../control/database.ts";
import type { Problem } from "../../model/error.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { reporter, stopOnProblems } from "../report.ts";
import { applySyncChange } from "../sync/apply.ts";
import { joinGroup } from "./join.ts";
import { readMemberWords } from "./member.ts";

export const addDbgroup = defineOperation({
  name: ["add", "dbgroup"],
  summary: "Make a group of databases with roles, or put more into one",
  description:
    "Roles are source and target (the default). In a group that a sync uses, a database becomes a member of the sync at once: a new target " +
    "then gets every change from now on, and needs a copy of what was before (onetimecopy).",
  group: "databases",
  effect: "writes",
  control: "required",
  otherPairs: "word",
  input: z.object({ words: words({ about: "Name of the group, then databases: NAME[:ROLE][:pri=N].", value: "GROUP DB[:ROLE]", min: 1 }) }),
  output: z.object({ messages: z.array(z.string()) }),
  examples: [{ command: "bucardo add dbgroup move A:source B:target C", about: "A is the source; B and C are targets." }],
  async run({ words: [name = "", ...rest] }, context) {
    const problems: Problem[] = [];
    const members = readMemberWords(
      rest.flatMap((word) => word.split(",")).filter((word) => word !== ""),
      await readDatabases(await context.control()),
      reporter(problems),
    );
    stopOnProblems(problems, "unknown-object", `Cannot add to dbgroup "${name}"`);
    const { messages } = await applySyncChange(context, {
      work: async (control) => ({ messages: await joinGroup(control, name, members, { firstIsSource: false }) }),
    });
    return { messages: [...messages] };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});
