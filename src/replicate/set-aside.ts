import { captureVersion } from "../capture/schema.ts";
import { displayName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** A row that a target refused, or one of the target's that had to give way, as it is noted on the source. Values of users' rows: for whoever asks for them. */
export type SetAsideRow = {
  readonly id: number;
  readonly target: string;
  readonly table: string;
  readonly kind: "refused" | "overwritten";
  /** Names of the key's columns, and its values. */
  readonly columns: readonly string[];
  readonly key: readonly string[];
  /** Values as text; null: the row was gone, or too large. */
  readonly image: Readonly<Record<string, string | null>> | null;
  readonly sqlstate: string;
  readonly message: string;
  /** The settled run that noted it. */
  readonly run: number;
  readonly noted: Date;
  /** The next run tries it again. */
  readonly replay: boolean;
};

/** Which rows of a sync; null: all. */
export type SetAsideChoice = { readonly sync: string; readonly target: string | null; readonly ids: readonly number[] | null };

const CHOSEN = "a.sync = $1 and ($2::text is null or a.target = $2) and ($3::bigint[] is null or a.id = any ($3))";

/** The rows of a sync, oldest first. */
export async function readSetAside(source: Session, { sync, target, ids }: SetAsideChoice): Promise<SetAsideRow[]> {
  if ((await captureVersion(source)) === 0) return [];
  const rows = await source.query<Omit<SetAsideRow, "table"> & { schema: string; name: string }>(
    sql(
      "aside.read",
      `select a.id, a.target, t.schema_name as schema, t.table_name as name, a.kind,
              t.key_columns as columns, a.key,
              case when json_typeof(a.image) = 'object' then (select json_object_agg(v.key, v.value) from json_each_text(a.image) v) end as image,
              a.sqlstate, a.message, a.run, a.noted_at as noted, a.replay
         from bucardo.set_aside a join bucardo.captured_table t on t.id = a.captured_table
        where ${CHOSEN} order by a.id`,
      [sync, target, ids],
    ),
  );
  return rows.map(({ schema, name, ...row }) => ({ ...row, table: displayName({ schema, name }) }));
}

/** The next run tries these rows again, as they are then. Numbers of the rows. */
export async function askReplay(source: Session, { sync, target, ids }: SetAsideChoice): Promise<number[]> {
  if ((await captureVersion(source)) === 0) return [];
  const rows = await source.query<{ id: number }>(
    sql("aside.replay", `update bucardo.set_aside a set replay = true where a.kind = 'refused' and ${CHOSEN} returning a.id`, [
      sync,
      target,
      ids,
    ]),
  );
  return rows.map(({ id }) => id);
}

/** Forgets these rows; the targets stay as they are. Numbers of the rows. */
export async function discardSetAside(source: Session, { sync, target, ids }: SetAsideChoice): Promise<number[]> {
  if ((await captureVersion(source)) === 0) return [];
  const rows = await source.query<{ id: number }>(
    sql("aside.discard", `delete from bucardo.set_aside a where ${CHOSEN} returning a.id`, [sync, target, ids]),
  );
  return rows.map(({ id }) => id);
}

/** How many rows wait to be replayed, target by target. */
export async function countSetAside(source: Session, sync: string): Promise<Map<string, number>> {
  if ((await captureVersion(source)) === 0) return new Map();
  const rows = await source.query<{ target: string; rows: number }>(
    sql("aside.count", "select target, count(*) as rows from bucardo.set_aside where sync = $1 and kind = 'refused' group by target", [
      sync,
    ]),
  );
  return new Map(rows.map(({ target, rows: count }) => [target, count]));
}
