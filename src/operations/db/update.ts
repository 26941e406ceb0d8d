import { z } from "zod";
import { readDatabases, updateDatabase } from "../../control/database.ts";
import { readDbgroups } from "../../control/dbgroup.ts";
import { readSyncs } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import { filesOf, type Database } from "../../model/sync.ts";
import type { Context } from "../context.ts";
import { joinGroup, splitGroup } from "../dbgroup/join.ts";
import { deleteDbgroupMember } from "../../control/dbgroup.ts";
import { key, list, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { chooseOrFail } from "../choose.ts";
import { stopOnProblems } from "../report.ts";
import { applySyncChange } from "../sync/apply.ts";
import { amend, sealed, tryConnect, withoutName, type Draft, type Given } from "./draft.ts";
import { proveFiles, typeOf, withFileKeys, type FileKeys } from "./files.ts";
import { connectionKeys, withExtras, type ExtraKeys } from "./keys.ts";
import { renameDatabase } from "./rename.ts";

export const updateDb = defineOperation({
  name: ["update", "db"],
  summary: "Change how a database is reached, its name or its groups",
  description:
    "The new connection is tried first. KEY= with nothing behind it forgets a value. group=G1,G2:ROLE is the complete list of its groups. " +
    "A sync whose source now leads to another server stops and says so; see `bucardo help accept`.",
  group: "databases",
  effect: "writes",
  control: "required",
  input: z.object({
    names: words({ about: "Names, patterns, or all.", value: "NAME", min: 1 }),
    name: key(text.optional(), { about: "Its new name.", value: "NAME" }),
    ...connectionKeys,
    dbgroup: key(list.optional(), {
      about: "All groups it is to be in.",
      aliases: ["group", "groups", "dbgroups"],
      value: "GROUP[:ROLE],...",
      list: true,
    }),
  }),
  output: z.object({ messages: z.array(z.string()) }),
  examples: [{ command: "bucardo update db oldalpha port=5433 host=db1", about: "It has moved." }],
  async run({ names, name, dbgroup, ...given }, context) {
    const wanted = names.filter((word) => word.toLowerCase() !== "set");
    const chosen = chooseOrFail(await readDatabases(await context.control()), wanted, "database");
    const messages: string[] = [];
    if (Object.values(given).some((value) => value !== undefined))
      for (const database of chosen) messages.push(...(await reconnect(context, database, given)));
    if (dbgroup !== undefined) for (const database of chosen) messages.push(...(await regroup(context, database.name, dbgroup)));
    if (name !== undefined) {
      const [only] = chosen;
      if (only === undefined || chosen.length > 1) throw new BucardoError("usage", "name= goes with one database.", { advice: "" });
      messages.push(...(only.name === name ? ["No change needed for name"] : await renameDatabase(context, only.name, name)));
    }
    if (messages.length === 0)
      throw new BucardoError("usage", "Nothing to change was given.", { advice: `See \`${context.program} help update db\`.` });
    return { messages };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});

async function reconnect(
  context: Context,
  database: Database,
  input: FileKeys & ExtraKeys & { dbdsn?: string | undefined },
): Promise<string[]> {
  const draft = draftOf(database, input);
  const lines = differences(database, draft);
  if (lines.every((line) => line.startsWith("No change"))) return lines;
  const moved = lines.some((line) => !/ (status|sourcelimit|targetlimit|legacy) /.test(line) && !line.startsWith("No change"));
  if (moved) await prove(context, draft);
  const syncs = (await readSyncs(await context.control())).filter((sync) => sync.members.some((member) => member.db === database.name));
  const hint = moved && syncs.length > 0 ? [`Now: ${context.program} validate ${syncs.map((sync) => sync.name).join(" ")}`] : [];
  const { messages } = await applySyncChange(context, {
    work: async (control) => {
      await updateDatabase(control, database.name, context.flags.dryrun ? draft.database : await sealed(draft, context));
      return { messages: [...lines, ...hint] };
    },
  });
  return [...messages];
}

function draftOf(database: Database, input: FileKeys & ExtraKeys & { dbdsn?: string | undefined }): Draft {
  const title = `Cannot change database "${database.name}"`;
  const { dir, dbname, host, port, user, pass, service, pgpass, conn, url, status } = input;
  const given: Given = { dbname, host, port, user, pass, service, pgpass, conn, url, status };
  const type = typeOf(input);
  const before = withExtras(database, input);
  const was = filesOf(database)?.type ?? "postgres";
  const remedy = `\`remove db ${database.name}\`, then \`add db\``;
  if (type !== undefined && type !== was)
    throw new BucardoError("not-supported", `${title}: it is ${was}, and stays so.`, { advice: `${remedy}. Nothing was changed.` });
  if (was !== "postgres") return { database: withFileKeys(before, was, { ...given, dir }, title), clearPassword: null };
  if (dir !== undefined) throw new BucardoError("bad-value", `${title}: dir= is for files.`, { advice: "Nothing was changed." });
  const { draft, problems } = amend(before, given);
  stopOnProblems(problems, "bad-value", title);
  return draft;
}

async function prove(context: Context, draft: Draft): Promise<void> {
  const { database } = draft;
  if (filesOf(database) !== null) {
    const warning = await proveFiles(context, database, `Cannot change database "${database.name}"`);
    if (warning !== null) context.io.err(warning);
    return;
  }
  try {
    await using _session = await tryConnect(draft, context);
  } catch (error) {
    if (!(error instanceof BucardoError)) throw error;
    if (context.flags.force) return context.io.err(`Changed without a working connection: ${error.message}`);
    throw new BucardoError(error.code, `Cannot change database "${draft.database.name}": ${withoutName(draft.database.name, error)}`, {
      ...error.details,
      advice: `${error.advice} Nothing was changed; --force changes it without a working connection.`,
      cause: error,
    });
  }
}

function differences(before: Database, { database: after, clearPassword }: Draft): string[] {
  const columns = ["dbname", "host", "port", "user", "service", "pgpass", "conn", "status", "directory"] as const;
  const lines = columns.flatMap((column) =>
    (before[column] ?? null) === (after[column] ?? null)
      ? []
      : [`Changed bucardo.db ${column} from ${before[column] ?? "nothing"} to ${after[column] ?? "nothing"}`],
  );
  const limits = [
    ["sourcelimit", before.sourceLimit, after.sourceLimit],
    ["targetlimit", before.targetLimit, after.targetLimit],
  ] as const;
  for (const [name, old, now] of limits)
    if ((old ?? null) !== (now ?? null)) lines.push(`Changed bucardo.db ${name} from ${old ?? "none"} to ${now ?? "none"}`);
  const [old, now] = [JSON.stringify(before.legacy ?? {}), JSON.stringify(after.legacy ?? {})];
  if (old !== now) lines.push(`Changed bucardo.db legacy from ${old} to ${now}`);
  if (clearPassword !== null || before.password !== after.password) lines.push("Changed bucardo.db pass");
  return lines.length > 0 ? lines : ["No change needed"];
}

async function regroup(context: Context, db: string, groups: readonly string[]): Promise<string[]> {
  const wanted = groups.map(splitGroup);
  const { messages } = await applySyncChange(context, {
    work: async (control) => {
      const lines: string[] = [];
      const before = (await readDbgroups(control)).filter((group) => group.members.some((member) => member.db === db));
      for (const group of before.filter(({ name }) => !wanted.some((each) => each.group === name))) {
        await deleteDbgroupMember(control, group.name, db);
        lines.push(`Removed database "${db}" from dbgroup "${group.name}"`);
      }
      for (const { group, role } of wanted) {
        const member = before.find(({ name }) => name === group)?.members.find((each) => each.db === db);
        if (member !== undefined && (role === null || role === member.role)) lines.push(`No change needed for dbgroup "${group}"`);
        else lines.push(...(await joinGroup(control, group, [{ db, role }], { firstIsSource: false })));
      }
      return { messages: lines };
    },
  });
  return [...messages];
}
