import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** A kick that at least one target has not settled yet. */
export type WaitingKick = { readonly id: number; readonly sync: string; readonly target: string };

/** What became of a kick at one target; `outcome` null: not settled yet. */
export type KickTarget = {
  readonly target: string;
  readonly outcome: "good" | "empty" | "bad" | null;
  readonly run: number | null;
  readonly ended: Date | null;
};

/**
 * Asks for a run of the sync; durable, and heard at once by a living daemon.
 * Done when a run that began after it has settled on every target: see `kickState`.
 */
export async function requestKick(session: Session, syncId: string): Promise<number> {
  const { id } = await session.one<{ id: number }>(
    sql(
      "control.kick-request",
      `with k as (insert into bucardo.kick (sync) values ($1::uuid) returning id)
       select k.id, pg_catalog.pg_notify('bucardo_control', 'kick ' || $1::text) from k`,
      [syncId],
    ),
  );
  return id;
}

/** The same by the sync's name, for applications that kick by NOTIFY; false when it is unknown, inactive or paused. */
export async function requestKickByName(session: Session, sync: string): Promise<boolean> {
  const asked = await session.query(
    sql(
      "control.kick-request-name",
      `with k as (
         insert into bucardo.kick (sync)
         select s.id from bucardo.sync s where s.name = $1 and s.status = 'active' and s.ready and not s.paused returning sync)
       select pg_catalog.pg_notify('bucardo_control', 'kick ' || k.sync) from k`,
      [sync],
    ),
  );
  return asked.length > 0;
}

/** Every target of the kick's sync that counts (its database is active), with the outcome where settled. */
export async function kickState(session: Session, kickId: number): Promise<KickTarget[]> {
  return await session.query<KickTarget>(
    sql(
      "control.kick-state",
      `select m.target, kt.outcome, kt.run, kt.ended_at as ended
         from bucardo.kick k
         join bucardo.sync s on s.id = k.sync
         join bucardo.sync_target m on m.sync = s.id
         join bucardo.db d on d.name = m.target and d.status = 'active'
         left join bucardo.kick_target kt on kt.kick = k.id and kt.target = m.target
        where k.id = $1
        order by m.target`,
      [kickId],
    ),
  );
}

/** All kicks that wait, per target, oldest first. Closes those whose last missing target is gone from the sync meanwhile. */
export async function waitingKicks(session: Session): Promise<WaitingKick[]> {
  await closeDoneKicks(session);
  return await session.query<WaitingKick>(
    sql(
      "control.kick-waiting",
      `select k.id, k.sync, m.target
         from bucardo.kick k
         join bucardo.sync s on s.id = k.sync
         join bucardo.sync_target m on m.sync = s.id
         join bucardo.db d on d.name = m.target and d.status = 'active'
        where k.done_at is null
          and not exists (select from bucardo.kick_target kt where kt.kick = k.id and kt.target = m.target)
        order by k.id, m.target`,
    ),
  );
}

/** Marks kicks as done that no active target of their sync still owes. */
export async function closeDoneKicks(session: Session): Promise<void> {
  await session.execute(
    sql(
      "control.kick-close",
      `update bucardo.kick k set done_at = pg_catalog.clock_timestamp()
        where k.done_at is null
          and not exists (
            select from bucardo.sync s
              join bucardo.sync_target m on m.sync = s.id
              join bucardo.db d on d.name = m.target and d.status = 'active'
             where s.id = k.sync
               and not exists (select from bucardo.kick_target kt where kt.kick = k.id and kt.target = m.target))`,
    ),
  );
}

/** Forgets kicks older than `days`, settled or not: nobody waits that long. Returns how many. */
export async function pruneKicks(session: Session, days: number): Promise<number> {
  return await session.execute(
    sql("control.kick-prune", "delete from bucardo.kick where requested_at < pg_catalog.clock_timestamp() - $1 * interval '1 day'", [days]),
  );
}
