import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** A conflict as a run has decided it. Times as ISO text, images as JSON text. */
export type DecidedConflict = {
  readonly id: string;
  readonly sync: string;
  /** The database where it was decided. */
  readonly member: string;
  readonly tableName: string;
  readonly kind: "row" | "unique" | "foreign_key";
  readonly keyColumns: readonly string[];
  readonly key: readonly string[];
  /** Of the row that it met; another one only where two rows have one unique value. */
  readonly localKey: readonly string[];
  readonly incomingDb: string;
  readonly localDb: string;
  readonly incomingAt: string | null;
  readonly localAt: string | null;
  readonly incomingImage: string | null;
  readonly localImage: string | null;
  readonly winner: "incoming" | "local" | "none";
  readonly why: string;
  readonly decidedAt: string;
};

/** As the log has it. */
export type ConflictRow = Omit<DecidedConflict, "incomingImage" | "localImage" | "incomingAt" | "localAt" | "decidedAt" | "id"> & {
  readonly number: number;
  readonly syncName: string;
  readonly incomingAt: Date | null;
  readonly localAt: Date | null;
  readonly decidedAt: Date;
  readonly replayedAt: Date | null;
  /** Values as text. */
  readonly incomingImage: Record<string, string | null> | null;
  readonly localImage: Record<string, string | null> | null;
};

/** Those that are there already stay as they are. */
export async function insertConflicts(session: Session, syncName: string, conflicts: readonly DecidedConflict[]): Promise<void> {
  await session.execute(
    sql(
      "control.conflict-insert",
      `insert into bucardo.conflict (id, sync, sync_name, member, table_name, kind, key_columns, key, local_key, incoming_db, local_db, incoming_at, local_at,
                                     incoming_image, local_image, winner, why, decided_at)
       select c.id, c.sync, $1, c.member, c."tableName", c.kind, c."keyColumns", c.key, c."localKey", c."incomingDb", c."localDb", c."incomingAt", c."localAt",
              c."incomingImage"::json, c."localImage"::json, c.winner, c.why, c."decidedAt"
         from json_to_recordset($2::json) c (id uuid, sync uuid, member text, "tableName" text, kind text, "keyColumns" text[], key text[], "localKey" text[],
              "incomingDb" text, "localDb" text, "incomingAt" timestamptz, "localAt" timestamptz, "incomingImage" text, "localImage" text, winner text,
              why text, "decidedAt" timestamptz)
        order by c."decidedAt"
       on conflict (id) do nothing`,
      [syncName, JSON.stringify(conflicts)],
    ),
  );
}

export type ConflictFilter = {
  readonly sync: string | null;
  readonly numbers: readonly number[] | null;
  readonly table: string | null;
  readonly winner: string | null;
  readonly kind: string | null;
  /** Seconds. */
  readonly newerThan: number | null;
  readonly most: number;
};

/** The newest first. `winner` is the name of a database, or none. */
export async function readConflicts(session: Session, filter: ConflictFilter): Promise<ConflictRow[]> {
  const { sync, numbers, table, winner, kind, newerThan, most } = filter;
  return session.query<ConflictRow>(
    sql(
      "control.conflict-read",
      `select c.number, c.sync::text, coalesce(s.name, c.sync_name) as "syncName", c.member, c.table_name as "tableName", c.kind, c.key_columns as "keyColumns",
              c.key, c.local_key as "localKey", c.incoming_db as "incomingDb", c.local_db as "localDb", c.incoming_at as "incomingAt",
              c.local_at as "localAt", ${asText("c.incoming_image")} as "incomingImage", ${asText("c.local_image")} as "localImage", c.winner, c.why,
              c.decided_at as "decidedAt", c.replayed_at as "replayedAt"
         from bucardo.conflict c left join bucardo.sync s on s.id = c.sync
        where ($1::text is null or coalesce(s.name, c.sync_name) = $1)
          and ($2::bigint[] is null or c.number = any ($2))
          and ($3::text is null or c.table_name = $3 or split_part(c.table_name, '.', 2) = $3)
          and ($4::text is null or $4 = case c.winner when 'incoming' then c.incoming_db when 'local' then c.local_db else 'none' end)
          and ($5::text is null or c.kind = $5)
          and ($6::float8 is null or c.decided_at > pg_catalog.clock_timestamp() - $6 * interval '1 second')
        order by c.number desc limit $7`,
      [sync, numbers, table, winner, kind, newerThan, most],
    ),
  );
}

/** Numbers of JSON have more digits than ours. */
function asText(image: string): string {
  return `case when ${image} is not null then (select pg_catalog.json_object_agg(e.key, e.value) from pg_catalog.json_each_text(${image}) e) end`;
}

/** One of the two rows as JSON text, every digit of it; null: it was deleted. */
export async function readLostRow(session: Session, number: number, side: "incoming" | "local"): Promise<string | null> {
  const { image } = await session.one<{ image: string | null }>(
    sql(
      "control.conflict-image",
      `select ${side === "incoming" ? "incoming_image" : "local_image"}::text as image from bucardo.conflict where number = $1`,
      [number],
    ),
  );
  return image;
}

export async function markReplayed(session: Session, number: number): Promise<void> {
  await session.execute(
    sql("control.conflict-replayed", "update bucardo.conflict set replayed_at = pg_catalog.clock_timestamp() where number = $1", [number]),
  );
}

/** Forgets the oldest: older than `days`, and beyond the newest `keep` of each sync. Returns how many; at most `limit` a time. */
export async function pruneConflicts(session: Session, days: number, keep: number, limit: number): Promise<number> {
  return await session.execute(
    sql(
      "control.conflict-prune",
      `delete from bucardo.conflict where number in (
         select c.number from (select x.number, x.decided_at, row_number() over (partition by x.sync order by x.number desc) as place from bucardo.conflict x) c
          where c.decided_at < pg_catalog.clock_timestamp() - $1 * interval '1 day' or c.place > $2
          order by c.number limit $3)`,
      [days, keep, limit],
    ),
  );
}
