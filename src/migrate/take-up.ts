import { readFence } from "../capture/fence.ts";
import { releaseSync } from "../capture/release.ts";
import { resetCopy } from "../copy/state.ts";
import { BucardoError } from "../model/error.ts";
import type { QualifiedName } from "../model/name.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { proofOf } from "../verify/proof-register.ts";
import type { Drift } from "./drift.ts";
import { openEndpoint } from "./endpoint.ts";
import { readLoose } from "./found.ts";
import { definitionOf, NEW, relationsOf, syncOf, type MoveContext } from "./move.ts";
import { beginAgain, type Migration } from "./state.ts";

/**
 * Lets a move go on with the tables as they are now. What was dropped leaves it; what was made anew leaves it too, on the new side with its rows, and comes
 * back like what is new: structure, capture, copy, proof. What did not change keeps all that was done for it. Afterwards the move stands at `schema`. May be
 * repeated: the new choice is written last. Errors: lock-timeout, in-use (a cutover broke off).
 */
export async function takeUp(context: MoveContext, state: Session, migration: Migration, drift: Drift): Promise<void> {
  await using source = await openEndpoint(context.old, "take up", context.signal);
  await using target = await openEndpoint(context.new, "take up", context.signal);
  if (((await readFence(source))?.state ?? "open") !== "open")
    throw new BucardoError("in-use", "a cutover broke off and left the old side armed, and tables changed since", {
      db: source.name,
      advice: "`bucardo migrate cutover --rehearse` puts it back; then `bucardo migrate start`.",
    });
  const away = [...drift.gone, ...drift.remade];
  const anew = [...away, ...drift.rekeyed];
  if (anew.length > 0) {
    const definition = definitionOf(migration, relationsOf(migration));
    for (const sync of [syncOf(migration).id, proofOf(definition).sync.id]) await releaseSync(source, sync, { tables: anew });
    await resetCopy(source, { sync: syncOf(migration), target: NEW }, anew);
  }
  await dropThere(target, away, drift.added);
  await beginAgain(state, drift.selection);
}

/**
 * Nobody uses the new side yet. What depends on them comes again with the structure; event triggers, which would fire meanwhile, as well. Of what is new only
 * what was a partition until now.
 */
async function dropThere(target: Session, away: readonly QualifiedName[], added: readonly QualifiedName[]): Promise<void> {
  for (const { id, drop } of await readLoose(target))
    if (id.startsWith("event trigger ")) await target.script(sql("migrate.drop-event-trigger", drop));
  const names = [...away, ...added];
  const kinds = await target.query<QualifiedName & { kind: string }>(
    sql(
      "migrate.kinds",
      `select n.nspname::text as schema, c.relname::text as name, case c.relkind when 'S' then 'sequence' else 'table' end as kind
         from unnest($1::text[], $2::text[], $3::bool[]) w (schema, name, away)
         join pg_catalog.pg_namespace n on n.nspname = w.schema join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name
        where c.relkind in ('r', 'p', 'S') and (w.away or c.relispartition)
          and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'i' and c.relkind = 'S')
        order by 3 desc`,
      [names.map(({ schema }) => schema), names.map(({ name }) => name), names.map((_, index) => index < away.length)],
    ),
  );
  for (const { kind, ...name } of kinds)
    await target.script(sql("migrate.drop-there", `drop ${kind} if exists ${quoteName(name)} cascade`));
}
