import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/**
 * Changes with every change of a definition: a table, column, trigger, constraint, function, type or schema of the users' that comes, goes or is altered, and
 * with grants; not with VACUUM, ANALYZE, CREATE INDEX or rows. Triggers that somebody disables let writers past the fence without a trace; they are in it too.
 */
export async function definitionsPrint(session: Session): Promise<string> {
  const parts = [
    `select c.oid, c.xmin from pg_class c where c.relkind in ('r', 'p', 'S', 'v', 'm', 'f') and ${users("c.relnamespace")}`,
    `select a.attrelid, a.xmin from pg_attribute a join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p', 'v', 'm', 'f', 'c') where ${users("c.relnamespace")}`,
    `select t.oid, t.xmin from pg_trigger t join pg_class c on c.oid = t.tgrelid where ${users("c.relnamespace")}`,
    `select d.oid, d.xmin from pg_attrdef d join pg_class c on c.oid = d.adrelid where ${users("c.relnamespace")}`,
    `select r.oid, r.xmin from pg_rewrite r join pg_class c on c.oid = r.ev_class where ${users("c.relnamespace")}`,
    `select l.oid, l.xmin from pg_policy l join pg_class c on c.oid = l.polrelid where ${users("c.relnamespace")}`,
    `select e.oid, e.xmin from pg_enum e join pg_type t on t.oid = e.enumtypid where ${users("t.typnamespace")}`,
    `select k.oid, k.xmin from pg_constraint k where ${users("k.connamespace")}`,
    `select p.oid, p.xmin from pg_proc p where ${users("p.pronamespace")}`,
    `select t.oid, t.xmin from pg_type t where ${users("t.typnamespace")}`,
    `select n.oid, n.xmin from pg_namespace n where ${users("n.oid")}`,
  ];
  const { print } = await session.one<{ print: string }>(
    sql(
      "migrate.definitions-print",
      `with mine (oid) as materialized (
         select oid from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'bucardo'))
       select count(*) || ' ' || coalesce(sum(hashtext(o::text || ' ' || x::text)::bigint), 0) as print from (${parts.join(" union all ")}) as d (o, x)`.replace(
        "as materialized",
        session.serverVersion >= 120000 ? "as materialized" : "as",
      ),
    ),
  );
  return print;
}

function users(namespace: string): string {
  return `${namespace} in (select oid from mine)`;
}
