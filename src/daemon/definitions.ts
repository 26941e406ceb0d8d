import { codesOf, readCustomCodes, type CustomCodeRow } from "../control/customcode.ts";
import { readDatabases } from "../control/database.ts";
import { readSettings } from "../control/setting.ts";
import { readSyncSettings, type SyncSettings } from "../control/sync-setting.ts";
import { readSyncs } from "../control/sync.ts";
import { copiedTargets } from "../control/target-state.ts";
import type { Exchange } from "../model/conflict.ts";
import type { LockMode } from "../model/lock-mode.ts";
import { displayName } from "../model/name.ts";
import { nameOn } from "../model/terms.ts";
import {
  copyPolicy,
  filesOf,
  sourcesOf,
  type Database,
  type DbgroupMember,
  type FileDatabase,
  type SyncDefinition,
} from "../model/sync.ts";
import { relationFor } from "../replicate/relation.ts";
import type { Session } from "../postgres/session.ts";
import type { RunDefinition } from "../replicate/definition.ts";
import { lockModeOf } from "../replicate/force-lock.ts";
import type { Limit } from "./admission.ts";
import type { Job } from "./job.ts";

/** All that the daemon does follows from this; read as a whole. */
export type Definitions = {
  readonly syncs: readonly SyncDefinition[];
  readonly databases: ReadonlyMap<string, Database>;
  readonly settings: Readonly<Record<string, string>>;
  readonly ofSyncs: SyncSettings;
  readonly copied: readonly { readonly sync: string; readonly target: string }[];
  readonly codes: readonly CustomCodeRow[];
};

export async function readDefinitions(session: Session): Promise<Definitions> {
  const syncs = await readSyncs(session);
  const databases = new Map((await readDatabases(session)).map((database) => [database.name, database]));
  const codes = await readCustomCodes(session);
  return {
    syncs,
    databases,
    settings: await readSettings(session),
    ofSyncs: await readSyncSettings(session),
    copied: await copiedTargets(session),
    codes,
  };
}

/** A sync that runs: its source and one job per target. `idle` names targets that do not run, with the reason. */
export type SyncPlan = {
  readonly id: string;
  readonly name: string;
  /** The first source, which hands on to all others what it gets from one. */
  readonly source: string;
  readonly jobs: readonly Job[];
  readonly idle: readonly { readonly target: string; readonly why: string }[];
};

/** What runs, by these definitions. Inactive syncs are absent. Pure. */
export function planSyncs(of: Definitions): SyncPlan[] {
  return of.syncs.filter((sync) => sync.status === "active").map((sync) => planSync(sync, of));
}

function planSync(sync: SyncDefinition, of: Definitions): SyncPlan {
  const [source = ""] = sourcesOf(sync);
  const targets = sync.members.filter(({ db }) => db !== source);
  const plan = { id: sync.id, name: sync.name, source };
  const why = (target: string): string | null => {
    if (source === "") return "The sync has no source database.";
    const inactive = [source, target].find((name) => of.databases.get(name)?.status !== "active");
    if (inactive !== undefined) return `Database ${inactive} is inactive; \`bucardo update db ${inactive} status=active\` brings it back.`;
    const member = sync.members.find(({ db }) => db === target);
    return filesOn(of, target) === null ? null : whyNoFiles(target, member?.role, codesOf(sync, of.codes).length > 0);
  };
  return {
    ...plan,
    jobs: targets.filter(({ db }) => why(db) === null).map((target) => planJob(sync, source, target, of)),
    idle: targets.flatMap(({ db }) => {
      const reason = why(db);
      return reason === null ? [] : [{ target: db, why: reason }];
    }),
  };
}

function filesOn({ databases }: Definitions, name: string): FileDatabase | null {
  const database = databases.get(name);
  return database === undefined ? null : filesOf(database);
}

function whyNoFiles(db: string, role: DbgroupMember["role"] | undefined, hasCode: boolean): string | null {
  if (role !== "target") return `Database ${db} is files, which can only have the role target.`;
  return hasCode ? `Database ${db} is files, for which no custom code runs: have it in a sync without.` : null;
}

/** Another sync brings changes of the same tables the other way: what it and this one carry may meet. */
function isTwoWay(of: Definitions, source: string, target: string, sync: SyncDefinition): boolean {
  const tables = new Set(sync.relations.filter(({ kind }) => kind === "table").map(displayName));
  return of.syncs.some(
    (other) =>
      other.id !== sync.id &&
      other.status === "active" &&
      sourcesOf(other)[0] === target &&
      other.members.some(({ db }) => db === source) &&
      other.relations.some((relation) => relation.kind === "table" && tables.has(displayName(relation))),
  );
}

function backOf(sync: SyncDefinition, there: RunDefinition): RunDefinition {
  const [source, target] = [there.target, there.source];
  const relations = sync.relations.map((relation) => relationFor(sync, relation, source, target));
  return { ...there, source, target, relations, exchange: exchangeOf(sync, source, target) };
}

function exchangeOf(sync: SyncDefinition, source: string, target: string): Exchange {
  const sources = sourcesOf(sync);
  return {
    strategy: sync.conflictStrategy,
    tables: Object.fromEntries(
      sync.relations.flatMap((relation) =>
        relation.conflictStrategy === null ? [] : [[displayName(nameOn(sync, relation, source)), relation.conflictStrategy]],
      ),
    ),
    foreignKeys: sync.fkConflict,
    sequences: sync.sequenceConflict,
    sources: sources.length > 1 ? sources : [source, target],
  };
}

function planJob(sync: SyncDefinition, source: string, target: DbgroupMember, of: Definitions): Job {
  const other = target.role === "source";
  const whole = target.role === "fullcopy";
  const copied = of.copied.some((one) => one.sync === sync.id && one.target === target.db);
  const exchange = other || isTwoWay(of, source, target.db, sync) ? { exchange: exchangeOf(sync, source, target.db) } : {};
  const definition: RunDefinition = {
    sync: { id: sync.id, name: sync.name },
    source,
    target: target.db,
    relations: sync.relations.map((relation) => relationFor(sync, relation, source, target.db)),
    // Another source keeps what it has: there is no saying whose rows are right.
    onetimecopy: other || whole || copied ? 0 : sync.onetimecopy,
    strict: sync.strictChecking,
    onError: sync.onError,
    forceLock: lockOf(of.ofSyncs.get(sync.id)?.["force_lock"] ?? of.settings["force_lock"]),
    ...exchange,
  };
  return {
    definition,
    back: other ? backOf(sync, definition) : null,
    checktime: sync.checktime,
    paused: sync.paused,
    files: filesOn(of, target.db),
    whole,
    copying: copyPolicy(sync),
    copyRequest: sync.copyRequest ?? 0,
    autokick: !whole && sync.relations.some((relation) => relation.autokick ?? sync.autokick),
    limits: limitsOf(sync, source, target.db, of),
    connections: JSON.stringify([connectionOf(of, source), connectionOf(of, target.db)]),
    codes: codesOf(sync, of.codes),
    databases: sync.members.map(({ db }) => db).filter((db) => of.databases.get(db)?.status === "active" && filesOn(of, db) === null),
  };
}

function limitsOf(sync: SyncDefinition, source: string, target: string, of: Definitions): Limit[] {
  const ofSync = Number(of.ofSyncs.get(sync.id)?.["limitdbs"] ?? of.settings["limitdbs"] ?? 0);
  const limits = [
    { of: `source ${source}`, most: of.databases.get(source)?.sourceLimit ?? 0 },
    { of: `target ${target}`, most: of.databases.get(target)?.targetLimit ?? 0 },
    { of: `sync ${sync.id}`, most: ofSync },
    { of: "daemon", most: Number(of.settings["max_runs"] ?? 0) },
  ];
  return limits.filter(({ most }) => most > 0);
}

/** Without what is not about its connection. */
function connectionOf(of: Definitions, name: string): unknown {
  const { sourceLimit: _source, targetLimit: _target, legacy: _legacy, ...connection } = of.databases.get(name) ?? {};
  return connection;
}

function lockOf(text: string | undefined): LockMode | null {
  return text === undefined || text === "" || text.toLowerCase() === "none" ? null : lockModeOf(text);
}
