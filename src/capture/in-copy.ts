import type { QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** Tables that no run touches because they are, or were, copied in pieces and did not come to an end; whoever runs the sync goes on with them. */
export async function readInCopy(
  source: Session,
  { sync, target }: { readonly sync: { readonly id: string }; readonly target: string },
): Promise<QualifiedName[]> {
  return await source.query<QualifiedName>(
    sql(
      "capture.in-copy",
      `select n.nspname::text as schema, c.relname::text as name
         from bucardo.subscription s
         join bucardo.captured_table t on t.id = s.captured_table
         join pg_class c on c.oid = t.relation
         join pg_namespace n on n.oid = c.relnamespace
        where s.sync = $1 and s.target = $2 and not s.joined and s.since is not null`,
      [sync.id, target],
    ),
  );
}
