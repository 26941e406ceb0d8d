import { codesOf, readCustomCodes, type CustomCodeRow } from "../control/customcode.ts";
import { readDatabases } from "../control/database.ts";
import { readSettings } from "../control/setting.ts";
import { readSyncs } from "../control/sync.ts";
import { copiedTargets } from "../control/target-state.ts";
import { sourcesOf, type Database, type DbgroupMember, type SyncDefinition } from "../model/sync.ts";
import { relationFor } from "../replicate/relation.ts";
import type { Session } from "../postgres/session.ts";
import type { Job } from "./job.ts";

/** All that the daemon does follows from this; read as a whole. */
export type Definitions = {
  readonly syncs: readonly SyncDefinition[];
  readonly databases: ReadonlyMap<string, Database>;
  readonly settings: Readonly<Record<string, string>>;
  readonly copied: readonly { readonly sync: string; readonly target: string }[];
  readonly codes: readonly CustomCodeRow[];
};

export async function readDefinitions(session: Session): Promise<Definitions> {
  const syncs = await readSyncs(session);
  const databases = new Map((await readDatabases(session)).map((database) => [database.name, database]));
  const codes = await readCustomCodes(session);
  return { syncs, databases, settings: await readSettings(session), copied: await copiedTargets(session), codes };
}

/** A sync that runs: its source and one job per target. `idle` names targets that do not run, with the reason. */
export type SyncPlan = {
  readonly id: string;
  readonly name: string;
  readonly source: string;
  readonly jobs: readonly Job[];
  readonly idle: readonly { readonly target: string; readonly why: string }[];
};

/** What runs, by these definitions. Inactive syncs are absent. Pure. */
export function planSyncs(of: Definitions): SyncPlan[] {
  return of.syncs.filter((sync) => sync.status === "active").map((sync) => planSync(sync, of));
}

function planSync(sync: SyncDefinition, of: Definitions): SyncPlan {
  const [source = "", ...others] = sourcesOf(sync);
  const targets = sync.members.filter((member) => member.role !== "source");
  const plan = { id: sync.id, name: sync.name, source };
  const why = (target: string): string | null => {
    if (source === "") return "The sync has no source database.";
    if (others.length > 0) return `The sync has several sources (${[source, ...others].join(", ")}); this version replicates from one.`;
    const inactive = [source, target].find((name) => of.databases.get(name)?.status !== "active");
    return inactive === undefined
      ? null
      : `Database ${inactive} is inactive; \`bucardo update db ${inactive} status=active\` brings it back.`;
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

function planJob(sync: SyncDefinition, source: string, target: DbgroupMember, of: Definitions): Job {
  const copied = of.copied.some((one) => one.sync === sync.id && one.target === target.db);
  return {
    definition: {
      sync: { id: sync.id, name: sync.name },
      source,
      target: target.db,
      relations: sync.relations.map((relation) => relationFor(sync, relation, source, target.db)),
      onetimecopy: target.role === "fullcopy" ? 1 : copied ? 0 : sync.onetimecopy,
      strict: sync.strictChecking,
      onError: sync.onError,
    },
    checktime: sync.checktime,
    paused: sync.paused,
    autokick: sync.relations.some((relation) => relation.autokick ?? sync.autokick),
    connections: JSON.stringify([of.databases.get(source), of.databases.get(target.db)]),
    codes: codesOf(sync, of.codes),
    databases: sync.members.map(({ db }) => db).filter((db) => of.databases.get(db)?.status === "active"),
  };
}
