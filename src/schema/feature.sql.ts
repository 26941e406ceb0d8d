/** How features are looked for: queries of one column of text, the place of use. `gone` (oid) are relations that stay behind. */

export const users = "n.nspname not in ('information_schema', 'bucardo') and n.nspname !~ '^pg_'";
/** Relations (c) of users that come along. */
export const coming = `${users} and c.oid not in (select g.oid from gone g)`;
const relation = "n.nspname || '.' || c.relname";
const noExtension = (catalog: string, oid: string) =>
  `not exists (select from pg_catalog.pg_depend e where e.classid = 'pg_catalog.${catalog}'::regclass and e.objid = ${oid} and e.deptype = 'e')`;

/** Relations (c) of users that fulfil the condition. */
export const relations = (condition: string) =>
  `select ${relation} from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where ${coming} and (${condition})`;
/** Columns (a) of users' relations. */
export const columns = (condition: string, join = "") =>
  `select ${relation} || '.' || a.attname from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace ${join}
    where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'f', 'v', 'm', 'c') and ${coming} and (${condition})`;
/** Indexes (c) with pg_index i. */
export const indexes = (condition: string) =>
  `select ${relation} from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where ${coming} and (${condition})`;
/** Constraints (k) of tables (c). */
export const constraints = (condition: string) =>
  `select ${relation} || ' ' || k.conname from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace where ${coming} and (${condition})`;
/** Functions (p). */
export const functions = (condition: string) =>
  `select n.nspname || '.' || p.proname || '()' from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where ${users} and ${noExtension("pg_proc", "p.oid")} and (${condition})`;
export const typed = "join pg_catalog.pg_type t on t.oid = a.atttypid left join pg_catalog.pg_type x on x.oid = t.typelem";
export const option = (names: string) =>
  relations(`exists (select from pg_catalog.unnest(c.reloptions) o where pg_catalog.split_part(o, '=', 1) = any('{${names}}'))`);
