import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { captureVersion } from "./schema.ts";

/** Syncs that a source carries capture for, by the control database they belong to. */
export type CarriedSync = {
  readonly sync: string;
  readonly name: string;
  readonly installation: string;
  readonly targets: readonly string[];
  /** Changes count already for one of the targets at least; false: capture was never completed. */
  readonly begun: boolean;
};

/** What this source carries, ours and that of other control databases. */
export async function carriedSyncs(source: Session): Promise<CarriedSync[]> {
  if ((await captureVersion(source)) === 0) return [];
  return await source.query<CarriedSync>(
    sql(
      "capture.carried-syncs",
      `select c.sync, min(c.sync_name) as name, c.installation, array_agg(c.target order by c.target) as targets,
              bool_or(c.snapshot is not null) as begun
         from bucardo.checkpoint c group by c.sync, c.installation order by 2, 1`,
    ),
  );
}
