import { z } from "zod";
import { readDatabases } from "../../control/database.ts";
import { insertDbgroup, putDbgroupMember, readDbgroup, readDbgroups } from "../../control/dbgroup.ts";
import { deleteRelgroupMember, readRelgroup } from "../../control/relgroup.ts";
import { askCopyAgain, findSync, readSyncs, updateSync as storeSync, type SyncRow } from "../../control/sync.ts";
import { readSyncSettings, writeSyncSetting } from "../../control/sync-setting.ts";
import { BucardoError, type Problem } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import { copyPolicy, sourcesOf, type CopyPolicy, type Sync } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import { chooseOrFail } from "../choose.ts";
import type { Context } from "../context.ts";
import { key, list, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { matcherOf } from "../pattern.ts";
import { findAll } from "../relation/add.ts";
import { joinRelgroup } from "../relation/join.ts";
import { register } from "../relation/register.ts";
import { reporter, stopOnProblems } from "../report.ts";
import { applySyncChange } from "./apply.ts";
import { copyingOf, legacyKeys, legacyOf, policyKeys, settingKeys, settingsOf, type Policies } from "./keys.ts";
import { planDbgroup, readMembers } from "./plan.ts";
import { checkSyncName } from "./read-add.ts";

export const updateSync = defineOperation({
  name: ["update", "sync"],
  synonyms: [["alter", "sync"]],
  summary: "Change the policies, the name or the members of syncs",
  description:
    "A living daemon takes every change over by itself. `add table NAME...` and `remove table NAME...` (also sequence) change what is replicated: " +
    "new tables are captured at once and copied by themselves.",
  group: "syncs",
  effect: "writes",
  control: "required",
  input: z.object({
    words: words({
      about: "Names, patterns or all; then active or inactive, or add|remove table|sequence NAME...",
      value: "SYNC [add|remove table NAME]",
      min: 1,
    }),
    name: key(text.optional(), { about: "Its new name.", value: "NAME" }),
    relgroup: key(text.optional(), { about: "Another relgroup.", aliases: ["herd"], value: "NAME" }),
    dbgroup: key(text.optional(), { about: "Another dbgroup.", value: "NAME" }),
    dbs: key(list.optional(), { about: "Other databases, with roles.", aliases: ["databases"], value: "A:source,B:target", list: true }),
    ...policyKeys,
    ...settingKeys,
    ...legacyKeys,
  }),
  output: z.object({ messages: z.array(z.string()) }),
  examples: [
    { command: "bucardo update sync pepper onetimecopy=1", about: "The next run copies whole tables." },
    { command: "bucardo update sync pepper add table tellers", about: "One more table." },
  ],
  async run({ words: typed, ...input }, context) {
    const control = await context.control();
    const { names, status, membership } = readWords(typed);
    const chosen = chooseOrFail(await readSyncs(control), names, "sync");
    const [only] = chosen;
    if (membership !== null) {
      if (only === undefined || chosen.length > 1)
        throw new BucardoError("usage", "Tables are added to one sync at a time.", { advice: "" });
      return { messages: await changeTables(context, only, membership) };
    }
    if (input.name !== undefined && chosen.length > 1) throw new BucardoError("usage", "name= goes with one sync.", { advice: "" });
    if (input.name !== undefined) await checkNewName(control, input.name);
    const wanted: Changes = { ...input, ...(status === null ? {} : { status }) };
    const { messages } = await applySyncChange(context, {
      work: async (session) => {
        const lines: string[] = [];
        for (const sync of chosen) lines.push(...(await changeOne(session, sync, wanted)));
        // Rolls back, so that not even the time of the last change moves.
        if (lines.length === 0)
          throw new BucardoError("usage", "Nothing to change was given.", { advice: `See \`${context.program} help update sync\`.` });
        return { messages: lines };
      },
    });
    return { messages: [...messages] };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});

type Changes = Policies &
  Record<string, unknown> & {
    name?: string | undefined;
    relgroup?: string | undefined;
    dbgroup?: string | undefined;
    dbs?: string[] | undefined;
  };
type Membership = { readonly how: "add" | "remove"; readonly kind: "table" | "sequence"; readonly patterns: readonly string[] };

/** `x y active`, `x add table t u`, `x set ...` */
function readWords(typed: readonly string[]): { names: string[]; status: "active" | "inactive" | null; membership: Membership | null } {
  const at = typed.findIndex(
    (word, index) => index > 0 && /^(add|remove|delete|del)$/i.test(word) && /^(tables?|seq\w*)$/i.test(typed[index + 1] ?? ""),
  );
  if (at > 0) {
    const how = typed[at]?.toLowerCase() === "add" ? "add" : "remove";
    const kind = /^seq/i.test(typed[at + 1] ?? "") ? "sequence" : "table";
    return { names: typed.slice(0, at), status: null, membership: { how, kind, patterns: typed.slice(at + 2) } };
  }
  const kept = typed.filter((word, index) => index === 0 || word.toLowerCase() !== "set");
  const last = kept.at(-1)?.toLowerCase();
  const status = kept.length > 1 && (last === "active" || last === "inactive") ? last : null;
  return { names: status === null ? kept : kept.slice(0, -1), status, membership: null };
}

async function checkNewName(control: Session, name: string): Promise<void> {
  const problems: Problem[] = [];
  checkSyncName(name, reporter(problems));
  stopOnProblems(problems, "bad-value", "Cannot change the name");
  if ((await findSync(control, name)) !== null)
    throw new BucardoError("already-exists", `The name "${name}" already exists.`, { sync: name });
}

async function changeOne(control: Session, sync: SyncRow, wanted: Changes): Promise<string[]> {
  const after: Sync = {
    ...sync,
    name: wanted.name ?? sync.name,
    relgroup: wanted.relgroup === undefined ? sync.relgroup : (await readRelgroup(control, wanted.relgroup)).name,
    dbgroup: await dbgroupOf(control, sync, wanted),
    status: wanted.status ?? sync.declared,
    autokick: wanted.autokick ?? sync.autokick,
    checktime: wanted.checktime === undefined ? sync.checktime : wanted.checktime,
    onetimecopy: (wanted.onetimecopy ?? sync.onetimecopy) as Sync["onetimecopy"],
    strictChecking: wanted.strict_checking ?? sync.strictChecking,
    onError: wanted.on_error ?? sync.onError,
    copying: { ...sync.copying, ...copyingOf(wanted) },
    conflictStrategy: wanted.conflict_strategy ?? sync.conflictStrategy,
    fkConflict: wanted.fk_conflict ?? sync.fkConflict,
    sequenceConflict: wanted.sequence_conflict ?? sync.sequenceConflict,
    priority: wanted.priority ?? sync.priority,
    legacy: { ...sync.legacy, ...legacyOf(wanted) },
  };
  await storeSync(control, after);
  if (after.onetimecopy !== 0 && wanted.onetimecopy === sync.onetimecopy) await askCopyAgain(control, sync.id);
  return [...differences({ ...sync, status: sync.declared }, after, wanted), ...(await changeSettings(control, sync, settingsOf(wanted)))];
}

async function changeSettings(control: Session, sync: Sync, wanted: Readonly<Record<string, string | null>>): Promise<string[]> {
  const lines: string[] = [];
  const before = (await readSyncSettings(control)).get(sync.id) ?? {};
  for (const [name, value] of Object.entries(wanted)) {
    await writeSyncSetting(control, sync.id, name, value);
    const [old, now] = [before[name] ?? "default", value ?? "default"];
    lines.push(old === now ? `No change needed for ${name}` : `Changed sync "${sync.name}" ${name} from ${old} to ${now}`);
  }
  return lines;
}

async function dbgroupOf(control: Session, sync: SyncRow, { dbgroup, dbs }: Changes): Promise<string> {
  if (dbs === undefined) return dbgroup === undefined ? sync.dbgroup : (await readDbgroup(control, dbgroup)).name;
  const problems: Problem[] = [];
  const members = readMembers(dbs, await readDatabases(control), reporter(problems));
  stopOnProblems(problems, "unknown-object", `Cannot change sync "${sync.name}"`);
  const plan = planDbgroup(sync.name, dbgroup ?? null, members, await readDbgroups(control));
  if (plan.create) {
    await insertDbgroup(control, plan.name);
    for (const member of plan.members) await putDbgroupMember(control, plan.name, member);
  }
  return plan.name;
}

function differences(before: Sync, after: Sync, wanted: Changes): string[] {
  const flat = ({
    name,
    relgroup,
    dbgroup,
    status,
    autokick,
    checktime,
    onetimecopy,
    strictChecking,
    onError,
    conflictStrategy,
    fkConflict,
    sequenceConflict,
    priority,
    legacy,
    copying,
  }: Sync): Record<string, string> => ({
    ...copyingText(copyPolicy({ ...(copying !== undefined && { copying }) })),
    name,
    relgroup,
    dbgroup,
    status,
    autokick: String(autokick),
    checktime: checktime === null ? "none" : `${checktime} s`,
    onetimecopy: String(onetimecopy),
    strict_checking: String(strictChecking),
    on_error: onError,
    conflict_strategy: conflictStrategy,
    fk_conflict: fkConflict,
    sequence_conflict: sequenceConflict,
    priority: String(priority),
    ...legacy,
  });
  const [old, now] = [flat(before), flat(after)];
  const given = Object.keys(now).filter((name) => wanted[name] !== undefined || (name === "dbgroup" && wanted.dbs !== undefined));
  const same = (name: string) =>
    name === "onetimecopy" && after.onetimecopy !== 0
      ? `Sync "${before.name}" copies once more: onetimecopy is ${after.onetimecopy} already`
      : `No change needed for ${name}`;
  return given.map((name) =>
    old[name] === now[name] ? same(name) : `Changed sync "${before.name}" ${name} from ${old[name] ?? "nothing"} to ${now[name] ?? ""}`,
  );
}

function copyingText({ deleteMethod, rebuildIndex, analyze, vacuum }: CopyPolicy): Record<string, string> {
  return {
    deletemethod: deleteMethod,
    rebuild_index: String(rebuildIndex),
    analyze_after_copy: String(analyze),
    vacuum_after_copy: String(vacuum),
  };
}

async function changeTables(context: Context, sync: SyncRow, { how, kind, patterns }: Membership): Promise<string[]> {
  const control = await context.control();
  if (patterns.length === 0) throw new BucardoError("usage", `Name the ${kind}s.`, { advice: "" });
  const group = await readRelgroup(control, sync.relgroup);
  const db = group.members[0]?.db ?? sourcesOf(sync)[0] ?? "";
  const found = how === "add" ? await findAll(context, db, patterns, kind) : [];
  const { messages } = await applySyncChange(context, {
    work: async (session) => {
      if (how === "add") {
        const { all } = await register(
          session,
          found.map(({ schema, name }) => ({ db, schema, name, kind })),
        );
        return { messages: await joinRelgroup(session, sync.relgroup, all) };
      }
      const tests = patterns.flatMap((word) => word.split(",")).map((word) => ({ word, test: matcherOf(word) }));
      const isMeant = (member: { schema: string; name: string }, test: (name: string) => boolean): boolean =>
        test(member.name) || test(displayName(member));
      const unknown = tests.filter(({ test }) => !group.members.some((member) => isMeant(member, test)));
      if (unknown.length > 0)
        throw new BucardoError(
          "unknown-object",
          `Sync "${sync.name}" has no ${kind} ${unknown.map(({ word }) => `"${word}"`).join(", ")}.`,
          { sync: sync.name, advice: "Nothing was changed." },
        );
      const leaving = group.members.filter((member) => member.kind === kind && tests.some(({ test }) => isMeant(member, test)));
      for (const member of leaving) await deleteRelgroupMember(session, group.name, member.id);
      return { messages: leaving.map((member) => `Removed ${displayName(member)} from relgroup "${group.name}"`) };
    },
  });
  return [...messages];
}
