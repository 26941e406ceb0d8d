import { BucardoError } from "../model/error.ts";
import type { Relation, Sync, SyncDefinition, SyncStatus } from "../model/sync.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { readCustoms } from "./custom.ts";
import { readDbgroups } from "./dbgroup.ts";
import { readRelgroups, type RelgroupMember } from "./relgroup.ts";

/**
 * `ready`: capture is installed. False between the rows and the capture, and after a crash there; `validate` finishes it.
 * `declared`: the status as it was set; `status` is inactive while the sync is not ready.
 */
export type SyncRow = SyncDefinition & {
  readonly ghosts: readonly Relation[];
  readonly ready: boolean;
  readonly declared: SyncStatus;
};

/**
 * Every sync with its members and relations, by priority (high first) and name.
 * A sync whose capture is not complete counts as inactive: nothing runs it.
 */
export async function readSyncs(session: Session): Promise<SyncRow[]> {
  const syncs = await session.query<Sync & { ready: boolean; declared: SyncStatus }>(
    sql(
      "control.sync-read-all",
      `select s.id, s.name, s.relgroup, s.dbgroup, case when s.ready then s.status else 'inactive' end as status, s.paused, s.autokick,
              extract(epoch from s.checktime)::double precision as checktime, s.onetimecopy, s.strict_checking as "strictChecking",
              s.on_error as "onError", s.copying, s.conflict_strategy as "conflictStrategy", s.fk_conflict as "fkConflict",
              s.sequence_conflict as "sequenceConflict", s.priority, s.legacy, s.copy_request as "copyRequest", s.ready, s.status as declared
         from bucardo.sync s order by s.priority desc, s.name`,
    ),
  );
  const dbgroups = new Map((await readDbgroups(session)).map((group) => [group.name, group.members]));
  const relgroups = new Map((await readRelgroups(session)).map((group) => [group.name, group.members]));
  const customs = await readCustoms(session);
  return syncs.map((sync) => {
    const relations = relgroups.get(sync.relgroup) ?? [];
    return {
      ...sync,
      customs: customs.filter((custom) => custom.sync === null || custom.sync === sync.id),
      members: dbgroups.get(sync.dbgroup) ?? [],
      relations: relations.filter(({ ghost }) => !ghost).map(relationOf),
      ghosts: relations.filter(({ ghost }) => ghost).map(relationOf),
    };
  });
}

/** Without what is of its registration and of its place in the group. */
function relationOf({ ghost: _ghost, legacy: _legacy, priority: _priority, ...relation }: RelgroupMember): Relation {
  return relation;
}

export async function findSync(session: Session, name: string): Promise<SyncRow | null> {
  return (await readSyncs(session)).find((sync) => sync.name === name) ?? null;
}

/** @throws BucardoError unknown-object */
export async function readSync(session: Session, name: string): Promise<SyncRow> {
  const found = await findSync(session, name);
  if (found === null)
    throw new BucardoError("unknown-object", `Unknown sync "${name}".`, {
      sync: name,
      advice: "`bucardo list syncs` shows the existing ones.",
    });
  return found;
}

/** The sync is inactive for everybody until `markSyncReady`. */
export async function insertSync(session: Session, sync: Sync): Promise<void> {
  await session.execute(
    sql(
      "control.sync-insert",
      `insert into bucardo.sync (id, name, relgroup, dbgroup, status, paused, autokick, checktime, onetimecopy, strict_checking, priority, legacy, on_error,
                                conflict_strategy, fk_conflict, sequence_conflict, copying, ready)
       values ($1, $2, $3, $4, $5, $6, $7, $8 * interval '1 second', $9, $10, $11, $12, $13, $14, $15, $16, $17, false)`,
      syncValues(sync),
    ),
  );
}

/** Replaces everything but `ready`; found by id, so it can be renamed. */
export async function updateSync(session: Session, sync: Sync): Promise<void> {
  await session.execute(
    sql(
      "control.sync-update",
      `update bucardo.sync
          set name = $2, relgroup = $3, dbgroup = $4, status = $5, paused = $6, autokick = $7, checktime = $8 * interval '1 second',
              onetimecopy = $9, strict_checking = $10, priority = $11, legacy = $12, on_error = $13,
              conflict_strategy = $14, fk_conflict = $15, sequence_conflict = $16, copying = $17, changed_at = now()
        where id = $1`,
      syncValues(sync),
    ),
  );
}

/** Another copy, although one is asked for already: what is under way does not count. */
export async function askCopyAgain(session: Session, id: string): Promise<void> {
  await session.execute(sql("control.sync-copy-again", "update bucardo.sync set copy_request = copy_request + 1 where id = $1", [id]));
}

export async function markSyncReady(session: Session, id: string, ready: boolean): Promise<void> {
  await session.execute(sql("control.sync-ready", "update bucardo.sync set ready = $2, changed_at = now() where id = $1", [id, ready]));
}

/** Its kicks, runs and states go with it; what is on the databases is the caller's to release. */
export async function deleteSync(session: Session, id: string): Promise<void> {
  await session.execute(sql("control.sync-delete", "delete from bucardo.sync where id = $1", [id]));
}

/** Tells a living daemon that definitions changed; it re-reads them by itself. Heard when the transaction commits. */
export async function notifyChanged(session: Session): Promise<void> {
  await session.execute(sql("control.notify-changed", "select pg_notify('bucardo_control', 'changed')"));
}

function syncValues(sync: Sync): unknown[] {
  const { id, name, relgroup, dbgroup, status, paused, autokick, checktime, onetimecopy, strictChecking, priority, legacy, onError } = sync;
  const policies = [status, paused, autokick, checktime, onetimecopy, strictChecking, priority];
  return [
    id,
    name,
    relgroup,
    dbgroup,
    ...policies,
    JSON.stringify(legacy),
    onError,
    sync.conflictStrategy,
    sync.fkConflict,
    sync.sequenceConflict,
    JSON.stringify(sync.copying ?? {}),
  ];
}
