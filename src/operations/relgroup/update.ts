import { z } from "zod";
import { deleteRelgroupMember, findRelgroup, readRelgroup, renameRelgroup, type Relgroup } from "../../control/relgroup.ts";
import { BucardoError } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import type { Session } from "../../postgres/session.ts";
import { nameProblem } from "../db/draft.ts";
import { key, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { matcherOf } from "../pattern.ts";
import { findAll } from "../relation/add.ts";
import { chooseDatabase } from "../relation/choose-db.ts";
import { joinRelgroup } from "../relation/join.ts";
import { register } from "../relation/register.ts";
import { applySyncChange } from "../sync/apply.ts";

export const updateRelgroup = defineOperation({
  name: ["update", "relgroup"],
  summary: "Change the name or the members of a group of tables",
  description: "`add NAME...` puts tables into it, `remove NAME...` takes them out. Syncs that use the group follow at once.",
  group: "relations",
  effect: "writes",
  control: "required",
  input: z.object({
    words: words({ about: "Name of the group; then add or remove, and names or patterns.", value: "GROUP [add|remove] PATTERN", min: 1 }),
    name: key(text.optional(), { about: "Its new name.", aliases: ["newname"], value: "NAME" }),
    db: key(text.optional(), { about: "Database of tables that are added to an empty group.", value: "DB" }),
  }),
  output: z.object({ messages: z.array(z.string()) }),
  examples: [{ command: "bucardo update relgroup orders remove shop.audit", about: "It is not replicated any more." }],
  async run({ words: [name = "", how, ...patterns], name: newName, db }, context) {
    const control = await context.control();
    const group = await readRelgroup(control, name);
    const verb = how?.toLowerCase();
    if (verb !== undefined && !["add", "remove", "delete", "del", "set"].includes(verb))
      throw new BucardoError("usage", `"${how}" is not understood.`, { advice: "Write add or remove in front of the tables." });
    if (newName !== undefined) await checkNewName(control, newName);
    const database = verb === "add" ? await chooseDatabase(control, db ?? group.members[0]?.db) : null;
    const found = database === null ? [] : await findAll(context, database.name, patterns);
    const { messages } = await applySyncChange(context, {
      work: async (session) => {
        const lines: string[] = [];
        if (database !== null) {
          const { all } = await register(
            session,
            found.map(({ schema, name: relation, kind }) => ({ db: database.name, schema, name: relation, kind })),
          );
          lines.push(...(await joinRelgroup(session, name, all)));
        } else if (verb !== undefined && verb !== "set") lines.push(...(await takeOut(session, group, patterns)));
        if (newName !== undefined) {
          await renameRelgroup(session, name, newName);
          lines.push(`Changed relgroup name from "${name}" to "${newName}"`);
        }
        return { messages: lines };
      },
    });
    if (messages.length === 0)
      throw new BucardoError("usage", "Nothing to change was given.", { advice: `See \`${context.program} help update relgroup\`.` });
    return { messages: [...messages] };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});

async function checkNewName(control: Session, name: string): Promise<void> {
  const problem = nameProblem("relgroup", name);
  if (problem !== null) throw new BucardoError("bad-value", `${problem.what}.`, { advice: problem.remedy });
  if ((await findRelgroup(control, name)) !== null) throw new BucardoError("already-exists", `The name "${name}" already exists.`);
}

async function takeOut(control: Session, group: Relgroup, patterns: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  for (const pattern of patterns.flatMap((word) => word.split(","))) {
    const test = matcherOf(pattern);
    const members = group.members.filter((member) => test(member.name) || test(displayName(member)));
    if (members.length === 0)
      throw new BucardoError("unknown-object", `Relgroup "${group.name}" has no member "${pattern}".`, { advice: "Nothing was changed." });
    for (const member of members) {
      await deleteRelgroupMember(control, group.name, member.id);
      lines.push(`Removed ${displayName(member)} from relgroup "${group.name}"`);
    }
  }
  return lines;
}
