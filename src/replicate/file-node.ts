import { BucardoError } from "../model/error.ts";
import { deltaTable } from "../capture/name.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { TablePlan } from "./plan.ts";

/**
 * TRUNCATE and rewriting ALTER TABLE are not MVCC-safe: an older snapshot sees the table empty afterwards, and a run would delete its rows on the
 * target for good (hazard 2). After the last row was read, with the locks of the reading still held, each file must be the one that the snapshot knows.
 */
export async function checkFileNodes(source: Session, plans: readonly TablePlan[]): Promise<void> {
  const leaves = plans.flatMap((plan) => plan.table.now.leaves.map((leaf) => leaf.oid));
  const deltas = plans.flatMap((plan) =>
    plan.table.generations.map((generation) => quoteName(deltaTable(plan.table.captured, generation))),
  );
  const rows = await source.query<{ name: string }>(
    sql(
      "replicate.check-file-nodes",
      `select format('%s.%s', n.nspname, c.relname) as name
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where (c.oid = any ($1::oid[]) or c.oid = any (array(select to_regclass(d) from unnest($2::text[]) d)::oid[]))
          and pg_relation_filenode(c.oid) is distinct from c.relfilenode`,
      [leaves, deltas],
    ),
  );
  const [first] = rows;
  if (first === undefined) return;
  throw new BucardoError("run-void", `${first.name} was truncated or rewritten while the run looked at it`, {
    db: source.name,
    table: first.name,
  });
}
