import { BucardoError, type Problem } from "../../model/error.ts";
import { isObjectName, RESERVED_SYNC_NAMES } from "../../model/name.ts";
import type { DbgroupMember, Role } from "../../model/sync.ts";
import { reporter, type Report } from "../report.ts";
import { planDbgroup, readMembers, type GroupPlan, type Registered } from "./plan.ts";

/** The words and keys of `add sync` that say what is replicated from where to where. */
export type Wanted = {
  readonly name: string;
  readonly type?: string | undefined;
  readonly source?: string | undefined;
  readonly targetdb?: string | undefined;
  readonly targetgroup?: string | undefined;
  readonly relgroup?: string | undefined;
  readonly tables?: readonly string[] | undefined;
  readonly dbs?: readonly string[] | undefined;
  readonly dbgroup?: string | undefined;
};

/** The same, understood: where the table names come from, and what is to be found there. */
export type Understood = {
  readonly form: 4 | 5;
  readonly dbgroup: GroupPlan<DbgroupMember>;
  /** Database whose names count. */
  readonly sourceDb: string;
  /** An existing relgroup, or null: one is made of `tables`. */
  readonly relgroup: string | null;
  /** Name for the relgroup to be made; null: the sync's. */
  readonly newRelgroup: string | null;
  readonly tables: readonly string[];
};

/** Pure. Everything wrong goes to `problems`; null when too much is missing to look further. */
export function understand(wanted: Wanted, registered: Registered, problems: Problem[]): Understood | null {
  const wrong = reporter(problems);
  checkSyncName(wanted.name, wrong);
  refuseTypes(wanted.type);
  const old = wanted.source !== undefined || wanted.targetdb !== undefined || wanted.targetgroup !== undefined || wanted.type !== undefined;
  return old && wanted.dbs === undefined && wanted.dbgroup === undefined
    ? understandFour(wanted, registered, wrong)
    : understandFive(wanted, registered, wrong);
}

export function checkSyncName(name: string, wrong: Report): void {
  if (!isObjectName(name))
    wrong(`"${name}" cannot be the name of a sync`, "A name is a letter, then letters, digits and underscores, at most 63.");
  else if (RESERVED_SYNC_NAMES.includes(name.toLowerCase()))
    wrong(`"${name}" is a word of the command line and cannot be the name of a sync`, "Choose another name.");
}

function refuseTypes(type: string | undefined): void {
  const word = type?.toLowerCase();
  if (word === undefined || ["pushdelta", "delta", "fullcopy", "swap"].includes(word)) return;
  throw new BucardoError("bad-value", `"${type}" is no type of a sync.`, {
    advice: "Use type=pushdelta, fullcopy or swap, or leave it out.",
  });
}

/** Of those that are no source. */
function roleOf({ type }: Pick<Wanted, "type">): Role {
  return type?.toLowerCase() === "fullcopy" ? "fullcopy" : "target";
}

/** Version 4: `source=` a herd or a database, `targetdb=` or `targetgroup=`. */
function understandFour(wanted: Wanted, registered: Registered, wrong: Report): Understood | null {
  const { source, targetdb, targetgroup, name } = wanted;
  if (source === undefined) wrong("source= is missing", "Give the source's database, or a herd.");
  if (targetdb === undefined && targetgroup === undefined) wrong("targetdb= or targetgroup= is missing", "Give where the changes go.");
  if (targetdb !== undefined && targetgroup !== undefined) wrong("targetdb= and targetgroup= exclude each other", "Give one of them.");
  const herd = registered.relgroups.find((group) => group.name === source);
  const sourceDb = herd === undefined ? source : herd.members[0]?.db;
  const known = (db: string): boolean => registered.databases.some((each) => each.name === db);
  if (source !== undefined && herd === undefined && !known(source))
    wrong(`source "${source}" is neither a relgroup nor a database`, "`bucardo list all` shows what is registered.");
  if (herd !== undefined && sourceDb === undefined) wrong(`relgroup "${herd.name}" is empty`, "Add tables to it first.");
  if (herd !== undefined && wanted.tables !== undefined)
    wrong("tables= does not go with a herd as source", "Name the database as source, or leave tables= out.");
  if (herd === undefined && wanted.tables === undefined)
    wrong("Must specify a relgroup (or a list of tables) for this sync", "Give tables=.");
  if (targetdb !== undefined && !known(targetdb)) wrong(`Unknown database "${targetdb}"`, "`bucardo list dbs` shows the registered ones.");
  const group = registered.dbgroups.find((each) => each.name === targetgroup);
  if (targetgroup !== undefined && group === undefined)
    wrong(`Unknown dbgroup "${targetgroup}"`, "`bucardo list dbgroups` shows the existing ones.");
  if (sourceDb === undefined || !known(sourceDb)) return null;
  if (targetdb === sourceDb) {
    wrong(`source and target are the same database "${sourceDb}"`, "Name another one as targetdb=.");
    return null;
  }
  const targets = targetdb === undefined ? (group?.members ?? []).map((member) => member.db).filter((db) => db !== sourceDb) : [targetdb];
  const swap = wanted.type?.toLowerCase() === "swap";
  if (swap && targets.length > 1)
    wrong(`a swap is between two databases, not ${targets.length + 1}`, "Use the form of version 5: dbs=A:source,B:source,C:source.");
  const members: DbgroupMember[] = [
    // Of two sources the one that is named as such comes first.
    { db: sourceDb, role: "source", priority: swap ? 1 : 0 },
    ...targets.map((db) => ({ db, role: swap ? ("source" as const) : roleOf(wanted), priority: 0 })),
  ];
  return {
    form: 4,
    dbgroup: planDbgroup(name, null, members, registered.dbgroups),
    sourceDb,
    relgroup: herd?.name ?? null,
    newRelgroup: null,
    tables: wanted.tables ?? [],
  };
}

/** Version 5: `relgroup=` and/or `tables=`, `dbs=` and/or `dbgroup=`. */
function understandFive(wanted: Wanted, registered: Registered, wrong: Report): Understood | null {
  const dbgroup = dbgroupOf(wanted, registered, wrong);
  const existing = registered.relgroups.find((group) => group.name === wanted.relgroup);
  const listed = wanted.relgroup !== undefined && existing === undefined && (wanted.relgroup.includes(",") || wanted.tables === undefined);
  const tables = [...(wanted.tables ?? []), ...(listed ? (wanted.relgroup ?? "").split(",").map((word) => word.trim()) : [])];
  if (wanted.relgroup === undefined && wanted.tables === undefined)
    wrong("Must specify a relgroup (or a list of tables) for this sync", "Give tables= or relgroup=.");
  if (existing !== undefined && wanted.tables !== undefined)
    wrong(`relgroup "${existing.name}" exists; tables= would change it`, "Leave one of the two out, or `bucardo add table` first.");
  const sources = dbgroup?.members.filter((member) => member.role === "source") ?? [];
  const sourceDb = sources[0]?.db;
  if (dbgroup !== null && sourceDb === undefined) wrong("no database of the sync is a source", "Give one the role: A:source.");
  if (dbgroup === null || sourceDb === undefined || !registered.databases.some((each) => each.name === sourceDb)) return null;
  return {
    form: 5,
    dbgroup,
    sourceDb,
    relgroup: existing?.name ?? null,
    newRelgroup: existing === undefined && !listed ? (wanted.relgroup ?? null) : null,
    tables,
  };
}

function dbgroupOf({ name, dbs, dbgroup, type }: Wanted, registered: Registered, wrong: Report): GroupPlan<DbgroupMember> | null {
  const find = (group: string | undefined) => registered.dbgroups.find((each) => each.name === group);
  const [only] = dbs ?? [];
  const named = find(dbgroup) ?? (dbs?.length === 1 && !registered.databases.some((each) => each.name === only) ? find(only) : undefined);
  if (named !== undefined) {
    if (dbgroup !== undefined && dbs !== undefined)
      wrong(`dbgroup "${named.name}" exists; dbs= would change it`, "Leave one of the two out.");
    return { name: named.name, create: false, members: named.members };
  }
  if (dbs === undefined || dbs.length === 0) {
    wrong(
      dbgroup === undefined ? "Must specify which databases: dbs= or dbgroup=" : `Unknown dbgroup "${dbgroup}"`,
      "Give dbs=A:source,B:target.",
    );
    return null;
  }
  return planDbgroup(name, dbgroup ?? null, readMembers(dbs, registered.databases, wrong, roleOf({ type })), registered.dbgroups);
}
