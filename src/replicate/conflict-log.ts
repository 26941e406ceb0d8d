import { captureVersion } from "../capture/schema.ts";
import type { DecidedConflict } from "../control/conflict.ts";
import { displayName } from "../model/name.ts";
import { quoteLiteral } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { CONFLICTS, type Meeting } from "./conflict-find.ts";
import type { RunDefinition } from "./definition.ts";

/** Beyond that an image is not kept; its key is. */
const LARGEST_IMAGE = 1024 * 1024;

/** Both rows of each conflict, before the one that lost is overwritten, in the transaction that does it. They do not leave the database here. */
export async function logConflicts(
  session: Session,
  { sync, target }: RunDefinition,
  { fetched }: Pick<Meeting, "fetched">,
  kind: "row" | "unique" | "foreign_key",
): Promise<void> {
  const { link, plan } = fetched;
  const columns = link.target.key.map(({ name }) => quoteLiteral(name)).join(", ");
  const image = (of: string) =>
    `case when ${of} is null or octet_length(${of}::text) <= ${LARGEST_IMAGE} then ${of} else json_build_object('bucardo', 'too large to be kept') end`;
  await session.execute(
    sql(
      "replicate.log-conflicts",
      `insert into bucardo.noted_conflict (id, sync, member, table_name, kind, key_columns, key, local_key, incoming_db, local_db, incoming_at, local_at,
                                     incoming_image, local_image, winner, why)
       select md5(random()::text || clock_timestamp()::text || c.ctid::text)::uuid, $1, $2, $3, c.kind, array[${columns}], c.key, c.local_key,
              c.incoming_db, c.local_db, c.incoming_at, c.local_at, ${image("c.incoming_image")}, ${image("c.local_image")}, c.winner, c.why
         from ${CONFLICTS} c where c.captured = $4 and c.kind = $5 and c.winner is not null and not c.closed`,
      [sync.id, target, displayName(link.name), plan.table.captured, kind],
    ),
  );
}

/** So many at once: their images pass through this process. */
const AT_ONCE = 20;

/**
 * Hands over what was noted on this database, to be kept in the control database, which survives it. Forgotten here only when `keep` has ended, so what
 * is handed over twice must make one.
 */
export async function moveNoted(member: Session, sync: string, keep: (noted: readonly DecidedConflict[]) => Promise<void>): Promise<void> {
  if ((await captureVersion(member)) < 2) return;
  for (;;) {
    const noted = await readNoted(member, sync);
    if (noted.length === 0) return;
    await keep(noted);
    const ids = noted.map(({ id }) => id);
    await member.execute(sql("replicate.forget-noted", "delete from bucardo.noted_conflict where id = any ($1::uuid[])", [ids]));
  }
}

/** The oldest first. */
async function readNoted(member: Session, sync: string): Promise<DecidedConflict[]> {
  return member.query<DecidedConflict>(
    sql(
      "replicate.noted-conflicts",
      `select id::text, sync::text, member, table_name as "tableName", kind, key_columns as "keyColumns", key, local_key as "localKey",
              incoming_db as "incomingDb", local_db as "localDb", to_json(incoming_at)#>>'{}' as "incomingAt", to_json(local_at)#>>'{}' as "localAt",
              incoming_image::text as "incomingImage", local_image::text as "localImage", winner, why, to_json(decided_at)#>>'{}' as "decidedAt"
         from bucardo.noted_conflict where sync = $1 order by decided_at, id limit $2`,
      [sync, AT_ONCE],
    ),
  );
}
