import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { captureVersion } from "./schema.ts";

/** A table that a source captures for one target of a sync. */
export type Subscribed = {
  readonly captured: number;
  readonly relation: number;
  readonly schema: string;
  readonly name: string;
  readonly target: string;
  /** Parts of the table as of the checkpoint; null before the first run. */
  readonly leaves: readonly number[] | null;
};

/** What a source captures for a sync; empty where nothing of ours is. */
export async function subscribedTables(source: Session, sync: string): Promise<Subscribed[]> {
  if ((await captureVersion(source)) === 0) return [];
  return await source.query<Subscribed>(
    sql(
      "capture.subscribed",
      `select t.id as captured, t.relation, t.schema_name as schema, t.table_name as name, s.target,
              (select json_agg((l ->> 'oid')::bigint) from jsonb_array_elements(s.shape -> 'leaves') l) as leaves
         from bucardo.subscription s join bucardo.captured_table t on t.id = s.captured_table
        where s.sync = $1 order by t.schema_name, t.table_name, s.target`,
      [sync],
    ),
  );
}

/** What waits for these tables is not enough, for whoever replicates them: the next run of each target refills them. */
export async function askRecopy(source: Session, captured: readonly number[]): Promise<void> {
  await source.execute(
    sql("capture.ask-recopy", "update bucardo.subscription set recopy = true where captured_table = any ($1::int[])", [captured]),
  );
}
