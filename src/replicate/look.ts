import type { Answer } from "../postgres/batch.ts";
import type { Session } from "../postgres/session.ts";
import { prepared, sql, type Statement } from "../postgres/sql.ts";
import type { Identity, RunDefinition } from "./definition.ts";

/** What the first statement of a run finds. */
export type Look = {
  readonly snapshot: string;
  readonly checkpoint: string | null;
  readonly run: number;
  readonly source_identity: Identity | null;
  readonly target_identity: Identity | null;
  readonly target_xid: number | null;
  /** Changes whenever something does that a run must know of its tables; what waits apart. */
  readonly print: string;
  /** The same of their columns; null: not asked for. */
  readonly columns: string | null;
  readonly tables: number;
  readonly stirred: readonly Stirred[];
};

/** A table for which something may wait. All others have nothing: their delta tables are empty files. */
export type Stirred = {
  readonly captured: number;
  /** Those that are no empty file. */
  readonly generations: readonly number[];
  readonly truncations: readonly { readonly xid: number; readonly leaf: number }[];
  /** Rows set aside for the target. */
  readonly aside: number;
  /** Numbers of those of them that are to be tried again. */
  readonly replays: readonly number[];
};

/**
 * One statement over all tables of the sync, which takes no lock on any of them longer than it takes to ask for the size of a delta table. The size is not the
 * snapshot's but that of this moment, which is later: whatever the snapshot sees had made the file longer by then, and who empties a delta table
 * proves that no checkpoint needs a row of it (capture/empty.ts). So an empty file has nothing for us, whoever writes into it meanwhile.
 */
export async function look(source: Session, definition: RunDefinition, withColumns: boolean): Promise<Look | null> {
  const [found] = await source.query<Look>(looking(definition, withColumns));
  return found ?? null;
}

/** The same as the first statement of the run's transaction, which begins with it. `then` goes along behind it; its answers come second. */
export async function beginWithLook(
  source: Session,
  definition: RunDefinition,
  withColumns: boolean,
  then: readonly Statement[],
): Promise<[Look | null, readonly Answer[]]> {
  const begin = sql("replicate.begin-source", "begin isolation level repeatable read");
  const [, found, ...answers] = await source.batch([begin, looking(definition, withColumns), ...then]);
  return [(found?.rows[0] as Look | undefined) ?? null, answers];
}

function looking(definition: RunDefinition, withColumns: boolean): Statement {
  return prepared("replicate.look", LOOK, [definition.sync.id, definition.target, withColumns]);
}

const MEMBERS = "any (array(select oid from member))";

/** A row of the catalog is known by the transaction that wrote it; a sum of hashes needs no order. */
function printOf(rows: string, version = "x.xmin"): string {
  return `(select count(*) || ' ' || coalesce(sum(hashtext(${version}::text)), 0) from ${rows})`;
}

const LOOK = `with recursive subscribed as (
         select t.id, t.relation, s.xmin::text || t.stamped::text as version
           from bucardo.subscription s join bucardo.captured_table t on t.id = s.captured_table
          where s.sync = $1 and s.target = $2 and s.joined
       ),
       member (oid) as (
         select relation from subscribed
         union
         select i.inhrelid from member m join pg_inherits i on i.inhparent = m.oid
       ),
       filled as (
         select s.id, json_agg(g.generation order by g.generation) as generations
           from subscribed s join bucardo.generation g on g.captured_table = s.id
          -- after the join: other syncs' tables need not be asked
          cross join lateral (select pg_relation_size(g.delta) as bytes offset 0) f
          where f.bytes is distinct from 0
          group by s.id
       ),
       truncated as (
         select x.captured_table as id, json_agg(json_build_object('xid', x.xid, 'leaf', x.leaf::bigint)) as truncations
           from bucardo.truncation x group by x.captured_table
       ),
       aside as (
         select a.captured_table as id, count(*) as aside, json_agg(a.id) filter (where a.replay) as replays
           from bucardo.set_aside a where a.sync = $1 and a.target = $2 and a.kind = 'refused' group by a.captured_table
       )
       select txid_current_snapshot()::text as snapshot, c.snapshot as checkpoint, c.run, c.source_identity, c.target_identity, c.target_xid,
              (select count(*)::int from subscribed) as tables,
              concat_ws('/', ${printOf("subscribed x", "x.version")},
                ${printOf("pg_class x where x.oid = " + MEMBERS)},
                ${printOf("pg_trigger x where x.tgrelid = " + MEMBERS)},
                ${printOf("pg_inherits x where x.inhparent in (select oid from member) or x.inhrelid in (select oid from member)")},
                ${printOf("pg_namespace x where x.nspname !~ '^pg_(toast_)?temp_'")}) as print,
              case when $3 then ${printOf("pg_attribute x where x.attrelid = " + MEMBERS + " and x.attnum > 0")} end as columns,
              (select coalesce(json_agg(json_build_object('captured', s.id, 'generations', coalesce(f.generations, '[]'), 'truncations', coalesce(t.truncations, '[]'),
                                                          'aside', coalesce(a.aside, 0), 'replays', coalesce(a.replays, '[]'))), '[]')
                 from subscribed s left join filled f using (id) left join truncated t using (id) left join aside a using (id)
                where f.id is not null or t.id is not null or a.id is not null) as stirred
         from bucardo.checkpoint c where c.sync = $1 and c.target = $2`;
