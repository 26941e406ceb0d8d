import { quoteIdent, quoteName } from "../postgres/quote.ts";
import { sqlstateOf } from "../postgres/failure.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { backoff } from "../base/backoff.ts";
import { sleep } from "../base/sleep.ts";
import { retries } from "../model/retry.ts";
import { SCHEMA } from "./name.ts";

/**
 * What the Perl program has put on a source. It shares the schema with ours, and no name: its tables are delta_SCHEMA_TABLE and track_..., ours
 * delta_NUMBER_NUMBER and listed in bucardo.generation; its functions begin with bucardo_, bkick_ or delta_, ours with capture_.
 */
export type PerlObject = {
  readonly kind: "trigger" | "table" | "function";
  readonly name: string;
  readonly on: string | null;
  readonly drop: string;
};

export async function findPerlObjects(source: Session): Promise<PerlObject[]> {
  const { ours } = await source.one<{ ours: boolean }>(sql("perl.ours", "select to_regclass('bucardo.generation') is not null as ours"));
  const mine = ours ? "select g.delta::oid from bucardo.generation g" : "select 0::oid where false";
  const rows = await source.query<{
    kind: PerlObject["kind"];
    name: string;
    schema: string | null;
    relation: string | null;
    signature: string | null;
  }>(
    sql(
      "perl.objects",
      `select 'trigger' as kind, t.tgname::text as name, n.nspname::text as schema, c.relname::text as relation, null as signature
         from pg_trigger t
         join pg_proc p on p.oid = t.tgfoid join pg_namespace f on f.oid = p.pronamespace
         join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
        where f.nspname = '${SCHEMA}' and not t.tgisinternal and p.proname ~ '^(bucardo|bkick|delta)_'
       union all
       select 'table', c.relname::text, n.nspname::text, null, null
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = '${SCHEMA}' and c.relkind = 'r' and c.relname ~ '^"?(delta|track|stage|bucardo)_' and c.oid not in (${mine})
       union all
       select 'function', p.proname::text, null, null, p.oid::regprocedure::text
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = '${SCHEMA}' and p.proname ~ '^(bucardo|bkick|delta)_'`,
    ),
  );
  return rows.map(({ kind, name, schema, relation, signature }) => {
    if (kind === "trigger") {
      const on = quoteName({ schema: schema ?? "", name: relation ?? "" });
      return { kind, name, on: `${schema}.${relation}`, drop: `drop trigger if exists ${quoteIdent(name)} on ${on}` };
    }
    if (kind === "table") return { kind, name, on: null, drop: `drop table if exists ${quoteName({ schema: SCHEMA, name })}` };
    return { kind, name, on: null, drop: `drop function if exists ${signature} cascade` };
  });
}

const LOCKED = "55P03";

/** Drops one after the other, each with a short lock timeout and again until `attempts` are over: nobody waits behind us. Errors: lock-timeout. */
export async function dropPerlObjects(
  source: Session,
  objects: readonly PerlObject[],
  { lockTimeoutMs, attempts, signal }: { readonly lockTimeoutMs: number; readonly attempts: number; readonly signal: AbortSignal },
): Promise<void> {
  for (const { drop } of objects) {
    for (let attempt = 1; ; attempt++) {
      try {
        await source.script(sql("perl.drop", `set lock_timeout = ${lockTimeoutMs}; ${drop}; set lock_timeout = 0`));
        break;
      } catch (error) {
        if (sqlstateOf(error) !== LOCKED || attempt >= attempts) throw error;
        await sleep(backoff(attempt, { ...retries.tableLock, random: Math.random }), signal);
      }
    }
  }
  // Without anything of ours in it, it was the Perl program's.
  await source.script(
    sql(
      "perl.drop-schema",
      `do $$ begin
         if to_regclass('${SCHEMA}.capture') is null and to_regclass('${SCHEMA}.bucardo_config') is null then drop schema if exists ${SCHEMA}; end if;
       exception when dependent_objects_still_exist then null;
       end $$`,
    ),
  );
}

/** Changes that the Perl program captured before our capture began and has not delivered yet: nobody else would bring them. */
export type PerlWaiting = { readonly sync: string; readonly table: string; readonly waiting: number };

/** Of version 5: progress is kept per dbgroup. `before`: since when ours captures, by the source's clock, as text. */
export async function countPerlWaiting5(source: Session, sync: string, dbgroup: string, before: string): Promise<PerlWaiting[]> {
  const tables = await source.query<{ tablename: string; delta: string; track: string }>(
    sql(
      "perl.delta-names",
      `select d.tablename::text as tablename, d.deltaname::text as delta, d.trackname::text as track
         from bucardo.bucardo_delta_names d where d.sync = $1`,
      [sync],
    ),
  );
  const counts: PerlWaiting[] = [];
  for (const { tablename, delta, track } of tables) {
    const { waiting } = await source.one<{ waiting: number }>(
      sql(
        "perl.waiting",
        `select count(*) as waiting from ${inSchema(delta)} d
          where d.txntime < $1::timestamptz
            and not exists (select from ${inSchema(track)} t where t.txntime = d.txntime and t.target = $2)`,
        [before, `dbgroup ${dbgroup}`],
      ),
    );
    counts.push({ sync, table: tablename, waiting });
  }
  return counts;
}

/** Of version 4: one table for all deltas, and progress per target database. */
export async function countPerlWaiting4(source: Session, sync: string, before: string): Promise<PerlWaiting[]> {
  const rows = await source.query<{ table: string; waiting: number }>(
    sql(
      "perl.waiting-4",
      `select d.tablename::regclass::text as "table", count(*) as waiting
         from bucardo.bucardo_delta d join bucardo.bucardo_delta_targets g on g.tablename = d.tablename
        where d.txntime < $1::timestamptz
          and not exists (select from bucardo.bucardo_track t where t.txntime = d.txntime and t.tablename = d.tablename and t.targetdb = g.targetdb)
        group by 1`,
      [before],
    ),
  );
  return rows.map(({ table, waiting }) => ({ sync, table, waiting }));
}

/** They keep names as they are quoted. */
function inSchema(name: string): string {
  const bare = name.replace(/^bucardo\./, "");
  return `${SCHEMA}.${bare.startsWith('"') ? bare : quoteIdent(bare)}`;
}
