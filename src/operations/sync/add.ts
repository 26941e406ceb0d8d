import { randomUUID } from "node:crypto";
import { z } from "zod";
import { invariant } from "../../base/invariant.ts";
import { readCandidates, type Candidate } from "../../catalog/find.ts";
import { readDatabases } from "../../control/database.ts";
import { deleteDbgroup, insertDbgroup, putDbgroupMember, readDbgroups } from "../../control/dbgroup.ts";
import { deleteRelation, type NewRelation } from "../../control/relation.ts";
import { deleteRelgroup, insertRelgroup, putRelgroupMembers, readRelgroups } from "../../control/relgroup.ts";
import { writeSyncSetting } from "../../control/sync-setting.ts";
import { deleteSync, findSync, insertSync } from "../../control/sync.ts";
import { BucardoError, type Problem } from "../../model/error.ts";
import { DEFAULT_STRATEGY } from "../../model/conflict.ts";
import { displayName } from "../../model/name.ts";
import type { Sync } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import type { Context } from "../context.ts";
import { connectionProblem } from "../db/draft.ts";
import { key, list, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { register } from "../relation/register.ts";
import { reporter, stopOnProblems } from "../report.ts";
import { applySyncChange } from "./apply.ts";
import { checkSync } from "./check.ts";
import { withDefinitionLock } from "./definition-lock.ts";
import { copyingOf, legacyKeys, legacyOf, policyKeys, settingKeys, settingsOf, type Policies } from "./keys.ts";
import { planRelgroup, readTableWords, type GroupPlan, type Registered } from "./plan.ts";
import { understand, type Understood } from "./read-add.ts";

const input = z.object({
  name: words({ about: "Name of the sync.", value: "NAME", min: 1, max: 1 }),
  tables: key(list.optional(), {
    about: "Tables and sequences; * and % are wildcards; all: every table with a key.",
    aliases: ["table", "relation", "relations"],
    value: "NAME,...",
    list: true,
  }),
  relgroup: key(text.optional(), {
    about: "An existing relgroup, a name for the new one, or a list of tables.",
    aliases: ["herd"],
    value: "NAME",
  }),
  dbs: key(list.optional(), {
    about: "Databases with roles, or one dbgroup; the first is the source.",
    aliases: ["db", "databases"],
    value: "A:source,B:target",
    list: true,
  }),
  dbgroup: key(text.optional(), { about: "An existing dbgroup, or a name for the new one.", value: "NAME" }),
  source: key(text.optional(), { about: "Version 4: the source database, or a herd.", aliases: ["sourcedb"], value: "NAME" }),
  targetdb: key(text.optional(), { about: "Version 4: the target database.", aliases: ["target"], value: "NAME" }),
  targetgroup: key(text.optional(), { about: "Version 4: a dbgroup with the targets.", value: "NAME" }),
  type: key(text.optional(), {
    about: "Version 4: pushdelta, fullcopy for whole copies when kicked, or swap for both ways.",
    aliases: ["synctype"],
    value: "pushdelta|fullcopy|swap",
  }),
  ...policyKeys,
  ...settingKeys,
  ...legacyKeys,
});

export const addSync = defineOperation({
  name: ["add", "sync"],
  summary: "Declare what is replicated from where to where, and begin to capture",
  description:
    "Checks every database and table first and reports all problems at once; then puts triggers on the source's tables. Changes count from " +
    "that moment, so tables may be copied by other means afterwards. Tables and groups that are not registered yet are registered on the way.\n\n" +
    "Two forms: source=, targetdb= or targetgroup= of version 4; tables= or relgroup=, dbs= or dbgroup= of version 5.",
  group: "syncs",
  effect: "writes",
  control: "required",
  input,
  output: z.object({ messages: z.array(z.string()), sync: z.string(), relations: z.array(z.string()) }),
  examples: [
    {
      command: "bucardo_ctl add sync pepper type=pushdelta source=oldalpha targetdb=newalpha tables=accounts ping=false",
      about: "Version 4; runs only when kicked.",
    },
    { command: "bucardo add sync shop tables=all dbs=A:source,B:target", about: "Version 5; all tables that have a key." },
    { command: "bucardo add sync shop relgroup=orders dbs=A,B,C checktime='10 minutes'", about: "One source, two targets." },
    {
      command: "bucardo add sync shop tables=all dbs=A:source,B:source,C:target",
      about: "Two sources that exchange, and a target of both.",
    },
  ],
  async run(given, context) {
    const control = await context.control();
    // From the first look at what is registered: two commands must not plan the same new group.
    return await withDefinitionLock(context, control, () => addOne(context, control, given));
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});

async function addOne(
  context: Context,
  control: Session,
  given: z.output<typeof input>,
): Promise<{ messages: string[]; sync: string; relations: string[] }> {
  const [name = ""] = given.name;
  if ((await findSync(control, name)) !== null)
    throw new BucardoError("already-exists", `Cannot add sync: the name "${name}" already exists.`, { sync: name });
  const registered: Registered = {
    databases: await readDatabases(control),
    dbgroups: await readDbgroups(control),
    relgroups: await readRelgroups(control),
  };
  const problems: Problem[] = [];
  const understood = understand({ ...given, name }, registered, problems);
  const relations = understood === null ? null : await findTables(context, name, understood, registered, problems);
  // What is understood is checked too, so that one report has everything.
  if (problems.length > 0 && understood !== null && relations !== null)
    problems.push(...news(problems, await checkRest(context, name, understood, relations, registered)));
  stopOnProblems(problems, "sync-invalid", `Cannot add sync "${name}"`);
  invariant(understood !== null && relations !== null, "no plan and no problem");
  const plan: Plan = {
    ...understood,
    sync: newSync(name, relations.name, understood.dbgroup.name, given),
    settings: settingsOf(given),
    relations,
    tableAutokick: understood.form === 4 && given.autokick !== undefined ? given.autokick : null,
  };
  const stored: Stored = { relations: [] };
  const { messages } = await applySyncChange(context, {
    work: (session) => store(session, plan, stored),
    undo: (session) => unstore(session, plan, stored),
  });
  return { messages: [...messages], sync: name, relations: relations.members.map(displayName) };
}

type Plan = Understood & {
  readonly sync: Sync;
  /** Of its own. */
  readonly settings: Readonly<Record<string, string | null>>;
  readonly relations: GroupPlan<Candidate>;
  /** Version 4 also put `ping=` on the tables. */
  readonly tableAutokick: boolean | null;
};

/** What the last `store` made, so that it can be taken back. */
type Stored = { relations: readonly number[] };

function newSync(name: string, relgroup: string, dbgroup: string, policies: Policies & Record<string, unknown>): Sync {
  return {
    id: randomUUID(),
    name,
    relgroup,
    dbgroup,
    status: policies.status ?? "active",
    paused: false,
    autokick: policies.autokick ?? true,
    checktime: policies.checktime ?? null,
    onetimecopy: (policies.onetimecopy ?? 0) as Sync["onetimecopy"],
    strictChecking: policies.strict_checking ?? true,
    onError: policies.on_error ?? "stop",
    copying: copyingOf(policies),
    conflictStrategy: policies.conflict_strategy ?? DEFAULT_STRATEGY,
    fkConflict: policies.fk_conflict ?? "restore",
    sequenceConflict: policies.sequence_conflict ?? "highest",
    priority: policies.priority ?? 0,
    legacy: legacyOf(policies),
  };
}

/** The tables that are meant, as they are on the source now. */
async function findTables(
  context: Context,
  name: string,
  understood: Understood,
  registered: Registered,
  problems: Problem[],
): Promise<GroupPlan<Candidate> | null> {
  const existing = registered.relgroups.find((group) => group.name === understood.relgroup);
  if (existing !== undefined)
    return {
      name: existing.name,
      create: false,
      members: existing.members.map((member) => ({
        schema: member.schema,
        name: member.name,
        kind: member.kind,
        partition: false,
        keyed: true,
      })),
    };
  try {
    const candidates = await readCandidates(await context.connectTo(understood.sourceDb));
    const found = readTableWords(understood.tables, candidates, understood.form === 4, reporter(problems));
    return planRelgroup(name, understood.newRelgroup, understood.sourceDb, found, registered.relgroups);
  } catch (error) {
    problems.push(connectionProblem(understood.sourceDb, error));
    return null;
  }
}

async function checkRest(
  context: Context,
  name: string,
  understood: Understood,
  relations: GroupPlan<Candidate>,
  registered: Registered,
): Promise<readonly Problem[]> {
  const { members } = understood.dbgroup;
  const named = relations.members.map((relation, id) => ({
    ...relation,
    id,
    db: understood.sourceDb,
    keyColumns: null,
    autokick: null,
    strictChecking: null,
    conflictStrategy: null,
  }));
  const { problems } = await checkSync(context, { ...newSync(name, "", "", {}), members, relations: named }, registered.databases);
  return problems.filter((problem) => problem.grade === "error");
}

/** What has not been said already. */
function news(told: readonly Problem[], more: readonly Problem[]): Problem[] {
  return more.filter(({ what }) => !told.some((problem) => problem.what === what));
}

async function store(control: Session, plan: Plan, stored: Stored): Promise<{ messages: string[] }> {
  const { sync, dbgroup, relations, form } = plan;
  const messages: string[] = [];
  const added: string[] = [];
  if (relations.create) {
    await insertRelgroup(control, relations.name);
    const wanted = relations.members.map(({ schema, name, kind }): NewRelation => ({
      db: plan.sourceDb,
      schema,
      name,
      kind,
      autokick: plan.tableAutokick,
    }));
    const rows = await register(control, wanted);
    await putRelgroupMembers(
      control,
      relations.name,
      rows.all.map(({ id }) => id),
      0,
    );
    stored.relations = rows.added.map(({ id }) => id);
    added.push(
      ...rows.added.map((row) =>
        form === 4
          ? `${row.kind === "table" ? "Table" : "Sequence"} added: ${displayName(row)}`
          : `  Added ${row.kind} "${displayName(row)}"`,
      ),
    );
    if (form === 5) messages.push(`Created a new relgroup named "${relations.name}"`);
  } else if (form === 5) messages.push(`Using existing relgroup "${relations.name}"`);
  messages.push(...added);
  if (dbgroup.create) {
    await insertDbgroup(control, dbgroup.name);
    for (const member of dbgroup.members) await putDbgroupMember(control, dbgroup.name, member);
    if (form === 5) messages.push(`Created a new dbgroup named "${dbgroup.name}"`);
  } else if (form === 5) messages.push(`Using existing dbgroup "${dbgroup.name}"`);
  await insertSync(control, sync);
  for (const [name, value] of Object.entries(plan.settings)) await writeSyncSetting(control, sync.id, name, value);
  messages.push(form === 4 ? `Sync added: ${sync.name}` : `Added sync "${sync.name}"`);
  return { messages };
}

async function unstore(control: Session, { sync, dbgroup, relations }: Plan, stored: Stored): Promise<void> {
  await deleteSync(control, sync.id);
  if (relations.create) await deleteRelgroup(control, relations.name);
  if (dbgroup.create) await deleteDbgroup(control, dbgroup.name);
  for (const id of stored.relations) await deleteRelation(control, id);
}
