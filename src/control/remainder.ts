import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** Capture of a removed sync that is still on a database, because it did not answer when the sync was removed. */
export type Remainder = { readonly db: string; readonly sync: string; readonly syncName: string };

export async function readRemainders(session: Session): Promise<Remainder[]> {
  return await session.query<Remainder>(
    sql("control.remainder-read", `select r.db, r.sync, r.sync_name as "syncName" from bucardo.remainder r order by r.db, r.sync_name`),
  );
}

export async function insertRemainder(session: Session, remainder: Remainder): Promise<void> {
  await session.execute(
    sql("control.remainder-insert", "insert into bucardo.remainder (db, sync, sync_name) values ($1, $2, $3) on conflict do nothing", [
      remainder.db,
      remainder.sync,
      remainder.syncName,
    ]),
  );
}

export async function deleteRemainder(session: Session, { db, sync }: Pick<Remainder, "db" | "sync">): Promise<void> {
  await session.execute(sql("control.remainder-delete", "delete from bucardo.remainder where db = $1 and sync = $2", [db, sync]));
}
