import { z } from "zod";
import { readDatabases } from "../../control/database.ts";
import { deleteDbgroupMember, findDbgroup, putDbgroupMember, readDbgroup, renameDbgroup, type Dbgroup } from "../../control/dbgroup.ts";
import { BucardoError, type Problem } from "../../model/error.ts";
import type { Role } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import { nameProblem } from "../db/draft.ts";
import { key, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { reporter, stopOnProblems } from "../report.ts";
import { applySyncChange } from "../sync/apply.ts";
import { readMemberWords, type MemberWord } from "./member.ts";

export const updateDbgroup = defineOperation({
  name: ["update", "dbgroup"],
  summary: "Change the name or the members of a group of databases",
  description:
    "The databases named become the whole membership; `add DB...` and `remove DB...` (version 4) change a part of it. Syncs that use the group follow at once.",
  group: "databases",
  effect: "writes",
  control: "required",
  otherPairs: "word",
  input: z.object({
    words: words({
      about: "Name of the group, then its databases; or add or remove, then databases.",
      value: "GROUP [add|remove] DB[:ROLE]",
      min: 1,
    }),
    name: key(text.optional(), { about: "Its new name.", aliases: ["newname"], value: "NAME" }),
  }),
  output: z.object({ messages: z.array(z.string()) }),
  examples: [{ command: "bucardo update dbgroup move A:source B:target", about: "A and B, and nobody else." }],
  async run({ words: [name = "", ...rest], name: newName }, context) {
    const control = await context.control();
    const group = await readDbgroup(control, name);
    const how = /^(add|remove|delete|del)$/i.exec(rest[0] ?? "")?.[0].toLowerCase() ?? null;
    const problems: Problem[] = [];
    const list = (how === null ? rest : rest.slice(1)).filter((word) => word.toLowerCase() !== "set").flatMap((word) => word.split(","));
    const members = readMemberWords(list, await readDatabases(control), reporter(problems));
    stopOnProblems(problems, "unknown-object", `Cannot change dbgroup "${name}"`);
    if (newName !== undefined) await checkNewName(control, newName);
    const { messages } = await applySyncChange(context, {
      work: async (session) => {
        const lines =
          how === "add"
            ? await put(session, group, members)
            : how !== null
              ? await drop(
                  session,
                  group,
                  members.map(({ db }) => db),
                )
              : members.length === 0
                ? []
                : await replace(session, group, members);
        if (newName !== undefined) {
          await renameDbgroup(session, name, newName);
          lines.push(`Changed dbgroup name from "${name}" to "${newName}"`);
        }
        return { messages: lines };
      },
    });
    if (messages.length === 0)
      throw new BucardoError("usage", "Nothing to change was given.", { advice: `See \`${context.program} help update dbgroup\`.` });
    return { messages: [...messages] };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});

async function checkNewName(control: Session, name: string): Promise<void> {
  const problem = nameProblem("dbgroup", name);
  if (problem !== null) throw new BucardoError("bad-value", `${problem.what}.`, { advice: problem.remedy });
  if ((await findDbgroup(control, name)) !== null) throw new BucardoError("already-exists", `The name "${name}" already exists.`);
}

async function put(control: Session, group: Dbgroup, members: readonly MemberWord[]): Promise<string[]> {
  const lines: string[] = [];
  for (const { db, role, priority } of members) {
    const before = group.members.find((member) => member.db === db);
    const wanted: Role = role ?? before?.role ?? "target";
    if (before !== undefined && before.role === wanted && before.priority === priority) continue;
    await putDbgroupMember(control, group.name, { db, role: wanted, priority });
    if (before === undefined) lines.push(`Added database "${db}" to dbgroup "${group.name}" as ${wanted}`);
    else if (before.role !== wanted)
      lines.push(`Changed role of database "${db}" in dbgroup "${group.name}" from ${before.role} to ${wanted}`);
    else lines.push(`Changed priority of database "${db}" in dbgroup "${group.name}" from ${before.priority} to ${priority}`);
  }
  return lines;
}

async function drop(control: Session, group: Dbgroup, dbs: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  for (const db of dbs.filter((each) => group.members.some((member) => member.db === each))) {
    await deleteDbgroupMember(control, group.name, db);
    lines.push(`Removed database "${db}" from dbgroup "${group.name}"`);
  }
  return lines;
}

async function replace(control: Session, group: Dbgroup, members: readonly MemberWord[]): Promise<string[]> {
  const gone = group.members.map(({ db }) => db).filter((db) => !members.some((member) => member.db === db));
  const lines = [...(await drop(control, group, gone)), ...(await put(control, group, members))];
  return lines.length === 0 ? [`No change needed for dbgroup "${group.name}"`] : lines;
}
