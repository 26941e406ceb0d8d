import { columns, constraints, functions, indexes, option, relations, typed, users } from "./feature.sql.ts";

/** What only some versions know, and how to find it in the catalogue of the source. */
export type Feature = {
  readonly what: string;
  /** First version (server_version_num) that has it; 0: all old ones. */
  readonly since: number;
  /** First version that has it no more. */
  readonly until?: number;
  /** First version whose catalogue can be asked with `find`, when it is not `since`. */
  readonly readable?: number;
  /** Default error: the move is refused. */
  readonly grade?: "error" | "warning";
  readonly remedy: string;
  /** Query of one column of text: where it is used (feature.sql.ts). */
  readonly find: string;
};

const asItIs = "Leave it, or change it on the old side before the move.";

/** Newest first. */
export const features: readonly Feature[] = [
  { what: "virtual generated column", since: 180000, remedy: "Make it stored, or a view.", find: columns("a.attgenerated = 'v'") },
  {
    what: "key or foreign key over periods (WITHOUT OVERLAPS, PERIOD)",
    since: 180000,
    remedy: "Replace it by an exclusion constraint.",
    find: constraints("k.conperiod"),
  },
  { what: "constraint that is NOT ENFORCED", since: 180000, remedy: "Drop it, or enforce it.", find: constraints("not k.conenforced") },
  {
    what: "NOT NULL that is NOT VALID",
    since: 180000,
    remedy: "Validate it.",
    find: constraints("k.contype = 'n' and not k.convalidated"),
  },
  {
    what: "NOT NULL with NO INHERIT",
    since: 180000,
    remedy: "Drop it, or let it be inherited.",
    find: constraints("k.contype = 'n' and k.connoinherit"),
  },
  {
    what: "built-in collation",
    since: 170000,
    remedy: "Use a collation of ICU or of the operating system.",
    find: `select n.nspname || '.' || l.collname from pg_catalog.pg_collation l join pg_catalog.pg_namespace n on n.oid = l.collnamespace where l.collprovider = 'b' and ${users}`,
  },
  {
    what: "identity column of a partitioned table",
    since: 170000,
    remedy: "Use a default with nextval().",
    find: columns("a.attidentity <> '' and c.relkind = 'p'"),
  },
  {
    what: "exclusion constraint of a partitioned table",
    since: 170000,
    remedy: "Make it on the partitions.",
    find: constraints("k.contype = 'x' and c.relkind = 'p'"),
  },
  {
    what: "event trigger on login",
    since: 170000,
    remedy: "Drop it.",
    find: "select evtname::text from pg_catalog.pg_event_trigger where evtevent = 'login'",
  },
  {
    what: "privilege MAINTAIN",
    since: 170000,
    grade: "warning",
    remedy: "It is left out; there the owner maintains.",
    find: relations(
      "exists (select from pg_catalog.aclexplode(c.relacl) g where g.privilege_type = 'MAINTAIN' and g.grantee <> c.relowner)",
    ),
  },
  {
    what: "ICU collation with rules",
    since: 160000,
    remedy: "Use one without rules.",
    find: `select n.nspname || '.' || l.collname from pg_catalog.pg_collation l join pg_catalog.pg_namespace n on n.oid = l.collnamespace where l.collicurules is not null and ${users}`,
  },
  {
    what: "membership of roles without INHERIT or SET",
    since: 160000,
    grade: "warning",
    remedy: "Check what those roles may do there; before 16 this is decided for the whole role.",
    find: "select pg_catalog.pg_get_userbyid(m.member) || ' in ' || pg_catalog.pg_get_userbyid(m.roleid) from pg_catalog.pg_auth_members m join pg_catalog.pg_roles r on r.oid = m.member where r.rolname !~ '^pg_' and (not m.set_option or m.inherit_option <> r.rolinherit)",
  },
  {
    what: "unique index with NULLS NOT DISTINCT",
    since: 150000,
    remedy: "Make the columns NOT NULL, or the index over an expression.",
    find: indexes("i.indnullsnotdistinct"),
  },
  {
    what: "view with security_invoker",
    since: 150000,
    remedy: "There it would be read with its owner's rights: drop it, or accept that and reset the option.",
    find: option("security_invoker"),
  },
  {
    what: "foreign key that sets only some columns",
    since: 150000,
    remedy: "Use a trigger.",
    find: constraints("k.confdelsetcols is not null"),
  },
  {
    what: "ICU as provider of the database",
    since: 150000,
    grade: "warning",
    remedy: "Text sorts there by the collation of the operating system.",
    find: "select datname::text from pg_catalog.pg_database where datname = current_database() and datlocprovider = 'i'",
  },
  {
    what: "publication with rows, columns or schemas chosen",
    since: 150000,
    remedy: "Drop it, or leave it out: --skip-object 'PUBLICATION*'",
    find: "select p.pubname::text from pg_catalog.pg_publication p where exists (select from pg_catalog.pg_publication_namespace s where s.pnpubid = p.oid) or exists (select from pg_catalog.pg_publication_rel r where r.prpubid = p.oid and (r.prqual is not null or r.prattrs is not null))",
  },
  {
    what: "function with a body of SQL statements (BEGIN ATOMIC, RETURN)",
    since: 140000,
    remedy: "Give the body as a string.",
    find: functions("p.prosqlbody is not null"),
  },
  {
    what: "column of a multirange type",
    since: 140000,
    remedy: "Use an array of ranges.",
    find: columns("t.typtype = 'm' or x.typtype = 'm'", typed),
  },
  {
    what: "procedure with OUT parameters",
    since: 140000,
    remedy: "Make them INOUT.",
    find: functions("p.prokind = 'p' and 'o' = any(p.proargmodes)"),
  },
  {
    what: "statistics over expressions",
    since: 140000,
    remedy: "Drop them.",
    find: `select n.nspname || '.' || s.stxname from pg_catalog.pg_statistic_ext s join pg_catalog.pg_namespace n on n.oid = s.stxnamespace where s.stxexprs is not null and ${users}`,
  },
  {
    what: "compression chosen for a column",
    since: 140000,
    grade: "warning",
    remedy: "It is left out: values are compressed by pglz there.",
    find: columns("a.attcompression <> ''"),
  },
  {
    what: "index of BRIN with several ranges or bloom filters",
    since: 140000,
    remedy: "Drop it.",
    find: indexes(
      "exists (select from pg_catalog.pg_opclass o where o.oid = any(i.indclass::oid[]) and o.opcname ~ '_(minmax_multi|bloom)_ops$')",
    ),
  },
  { what: "column of type xid8", since: 130000, remedy: "Use bigint.", find: columns("t.typname = 'xid8' and t.typnamespace = 11", typed) },
  {
    what: "BEFORE row trigger of a partitioned table",
    since: 130000,
    readable: 110000,
    remedy: "Make it on the partitions.",
    find: "select n.nspname || '.' || c.relname || ' ' || t.tgname from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid not in (select g.oid from gone g) and c.relkind = 'p' and not t.tgisinternal and t.tgtype & 3 = 3",
  },
  {
    what: "publication of a partitioned table",
    since: 130000,
    remedy: "Publish the partitions.",
    find: "select p.pubname::text from pg_catalog.pg_publication p join pg_catalog.pg_publication_rel r on r.prpubid = p.oid join pg_catalog.pg_class c on c.oid = r.prrelid where c.relkind = 'p' or p.pubviaroot",
  },
  {
    what: "option of an index or table",
    since: 130000,
    readable: 130000,
    remedy: asItIs,
    find: option("deduplicate_items,autovacuum_vacuum_insert_threshold,autovacuum_vacuum_insert_scale_factor"),
  },
  { what: "stored generated column", since: 120000, remedy: "Use a trigger.", find: columns("a.attgenerated = 's'") },
  {
    what: "collation that is not deterministic",
    since: 120000,
    remedy: "Use citext, or an index over lower().",
    find: `select n.nspname || '.' || l.collname from pg_catalog.pg_collation l join pg_catalog.pg_namespace n on n.oid = l.collnamespace where not l.collisdeterministic and ${users}`,
  },
  {
    what: "foreign key to a partitioned table",
    since: 120000,
    remedy: "Use a trigger.",
    find: constraints("k.contype = 'f' and exists (select from pg_catalog.pg_class f where f.oid = k.confrelid and f.relkind = 'p')"),
  },
  {
    what: "statistics of kind mcv",
    since: 120000,
    remedy: "Make them without mcv.",
    find: `select n.nspname || '.' || s.stxname from pg_catalog.pg_statistic_ext s join pg_catalog.pg_namespace n on n.oid = s.stxnamespace where 'm' = any(s.stxkind) and ${users}`,
  },
  {
    what: "column of type jsonpath",
    since: 120000,
    remedy: "Use text.",
    find: columns("t.typname = 'jsonpath' and t.typnamespace = 11", typed),
  },
  {
    what: "table with an access method of its own",
    since: 120000,
    remedy: "Make it a heap.",
    find: relations("c.relkind in ('r', 'm') and c.relam <> 2 and c.relam <> 0"),
  },
  { what: "option of a table", since: 120000, remedy: asItIs, find: option("vacuum_truncate,vacuum_index_cleanup") },
  { what: "procedure", since: 110000, remedy: "Make it a function.", find: functions("p.prokind = 'p'") },
  { what: "index with INCLUDE", since: 110000, remedy: "Make it without.", find: indexes("i.indnkeyatts <> i.indnatts") },
  {
    what: "index, key, foreign key or row trigger of a partitioned table",
    since: 110000,
    remedy: "Make it on the partitions.",
    find: `${relations("c.relkind = 'I'")} union all ${constraints("c.relkind = 'p' and k.contype = 'f'")} union all select n.nspname || '.' || c.relname || ' ' || t.tgname from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid not in (select g.oid from gone g) and c.relkind = 'p' and not t.tgisinternal and t.tgtype & 1 = 1`,
  },
  {
    what: "table partitioned by hash",
    since: 110000,
    remedy: "Partition it by range.",
    find: relations("exists (select from pg_catalog.pg_partitioned_table p where p.partrelid = c.oid and p.partstrat = 'h')"),
  },
  {
    what: "default partition",
    since: 110000,
    remedy: "Give it bounds.",
    find: relations("exists (select from pg_catalog.pg_partitioned_table p where p.partdefid = c.oid)"),
  },
  {
    what: "domain over a composite type",
    since: 110000,
    remedy: "Use the type itself.",
    find: `select n.nspname || '.' || t.typname from pg_catalog.pg_type t join pg_catalog.pg_type b on b.oid = t.typbasetype join pg_catalog.pg_namespace n on n.oid = t.typnamespace where t.typtype = 'd' and b.typtype = 'c' and ${users}`,
  },
  // Upwards: what newer versions have no more.
  {
    what: "table WITH OIDS",
    since: 0,
    until: 120000,
    remedy: "alter table .. set without oids; a column of one's own takes the numbers' place.",
    find: relations("c.relhasoids and c.relkind = 'r'"),
  },
  {
    what: "column of type abstime, reltime or tinterval",
    since: 0,
    until: 120000,
    remedy: "Change it to timestamptz, interval or tstzrange.",
    find: columns("coalesce(x.typname, t.typname) in ('abstime', 'reltime', 'tinterval') and t.typnamespace = 11", typed),
  },
  {
    what: "operator behind its operand",
    since: 0,
    until: 140000,
    remedy: "Make it a function, or put it in front.",
    find: `select n.nspname || '.' || o.oprname from pg_catalog.pg_operator o join pg_catalog.pg_namespace n on n.oid = o.oprnamespace where o.oprkind = 'r' and ${users}`,
  },
  {
    what: "option vacuum_cleanup_index_scale_factor",
    since: 110000,
    until: 140000,
    remedy: "alter index .. reset (vacuum_cleanup_index_scale_factor);",
    find: option("vacuum_cleanup_index_scale_factor"),
  },
  {
    what: "aggregate or operator over an array function of the core whose types changed",
    since: 0,
    until: 140000,
    remedy: "Make it over anycompatiblearray after the move; leave it out until then.",
    find: functions(
      "exists (select from pg_catalog.pg_aggregate g where g.aggfnoid = p.oid and g.aggtransfn::oid in (select f.oid from pg_catalog.pg_proc f where f.pronamespace = 11 and f.proname in ('array_append', 'array_prepend', 'array_cat', 'array_remove', 'array_replace')))",
    ),
  },
];
