/** The questions of the inventory, each with the row it answers. */
import { sql, type Statement } from "../postgres/sql.ts";

const users = "n.nspname not in ('information_schema', 'bucardo') and n.nspname !~ '^pg_'";

export type DatabaseRow = {
  readonly name: string;
  readonly owner: string;
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** c: of the operating system, i: ICU, b: built in. */
  readonly provider: "c" | "i" | "b";
  /** ICU or built-in locale. */
  readonly locale: string | null;
  /** When indexes were made, and now; null where the server does not tell. */
  readonly collationVersion: string | null;
  readonly actualVersion: string | null;
  readonly bytes: number;
  readonly inRecovery: boolean;
};

export function database(version: number): Statement {
  const locale = version >= 170000 ? "d.datlocale" : version >= 150000 ? "d.daticulocale" : "null::text";
  const versions = version >= 150000 ? "d.datcollversion" : "null::text";
  const actual = version >= 150000 ? "pg_catalog.pg_database_collation_actual_version(d.oid)" : "null::text";
  return sql(
    "schema.inventory-database",
    `select d.datname::text as name, pg_catalog.pg_get_userbyid(d.datdba)::text as owner, pg_catalog.pg_encoding_to_char(d.encoding)::text as encoding,
            d.datcollate::text as collate, d.datctype::text as ctype, ${version >= 150000 ? "d.datlocprovider::text" : "'c'::text"} as provider,
            ${locale} as locale, ${versions} as "collationVersion", ${actual} as "actualVersion",
            pg_catalog.pg_database_size(d.oid) as bytes, pg_catalog.pg_is_in_recovery() as "inRecovery"
       from pg_catalog.pg_database d where d.datname = current_database()`,
  );
}

export type SizeRow = {
  readonly oid: number;
  readonly bytes: number;
  readonly indexBytes: number;
  readonly rows: number | null;
  readonly extension: string | null;
};

/** Before 14 a table that nobody has analyzed has 0 rows on 0 pages, since then -1. */
export const sizes = sql(
  "schema.inventory-sizes",
  `select c.oid, coalesce(pg_catalog.pg_table_size(c.oid), 0) as bytes, coalesce(pg_catalog.pg_indexes_size(c.oid), 0) as "indexBytes",
          case when c.reltuples < 0 or c.reltuples = 0 and c.relpages = 0 and pg_catalog.pg_relation_size(c.oid) > 0 then null
               else c.reltuples::float8 end as rows,
          e.extname::text as extension
     from pg_catalog.pg_class c
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     left join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.objsubid = 0 and d.deptype = 'e'
     left join pg_catalog.pg_extension e on e.oid = d.refobjid
    where c.relkind in ('r', 'p') and c.relpersistence <> 't' and ${users}`,
);

export const foreignTables = sql(
  "schema.inventory-foreign",
  `select n.nspname::text as schema, c.relname::text as name from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'f' and ${users} order by 1, 2`,
);

export const materializedViews = sql(
  "schema.inventory-matviews",
  `select n.nspname::text as schema, c.relname::text as name, coalesce(pg_catalog.pg_total_relation_size(c.oid), 0) as bytes, c.relispopulated as populated
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'm' and ${users} order by 1, 2`,
);

export const largeObjects = sql(
  "schema.inventory-large-objects",
  `select (select count(*) from pg_catalog.pg_largeobject_metadata) as count, pg_catalog.pg_relation_size('pg_catalog.pg_largeobject') as bytes`,
);

export type CollationRow = {
  readonly schema: string;
  readonly name: string;
  readonly provider: string;
  readonly deterministic: boolean;
  readonly version: string | null;
  readonly actual: string | null;
};

export function collations(version: number): Statement {
  return sql(
    "schema.inventory-collations",
    `select n.nspname::text as schema, c.collname::text as name, c.collprovider::text as provider,
            ${version >= 120000 ? "c.collisdeterministic" : "true"} as deterministic, c.collversion as version, pg_catalog.pg_collation_actual_version(c.oid) as actual
       from pg_catalog.pg_collation c join pg_catalog.pg_namespace n on n.oid = c.collnamespace where ${users} order by 1, 2`,
  );
}

export type PublicationRow = { readonly name: string; readonly owner: string; readonly allTables: boolean };

export const publications = sql(
  "schema.inventory-publications",
  `select pubname::text as name, pg_catalog.pg_get_userbyid(pubowner)::text as owner, puballtables as "allTables" from pg_catalog.pg_publication order by 1`,
);

export type SlotRow = {
  readonly name: string;
  readonly plugin: string | null;
  readonly active: boolean;
  readonly retainedBytes: number | null;
};

/** A standby has no current position of its own to write at. */
export const slots = sql(
  "schema.inventory-slots",
  `select slot_name::text as name, plugin::text, active,
          case when pg_catalog.pg_is_in_recovery() then null
               else pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn)::float8 end as "retainedBytes"
     from pg_catalog.pg_replication_slots where database = current_database() order by 1`,
);

export type SubscriptionRow = { readonly name: string; readonly enabled: boolean; readonly slot: string | null };

/** The connection string stays unread: it may hold a password. */
export const subscriptions = sql(
  "schema.inventory-subscriptions",
  `select subname::text as name, subenabled as enabled, subslotname::text as slot from pg_catalog.pg_subscription
    where subdbid = (select oid from pg_catalog.pg_database where datname = current_database()) order by 1`,
);

export type EventTriggerRow = { readonly name: string; readonly event: string; readonly enabled: string };

export const eventTriggers = sql(
  "schema.inventory-event-triggers",
  `select evtname::text as name, evtevent::text as event, evtenabled::text as enabled from pg_catalog.pg_event_trigger order by 1`,
);

export type TransactionRow = {
  readonly pid: number;
  readonly user: string | null;
  readonly application: string | null;
  readonly state: string | null;
  readonly ageSeconds: number;
};

export const longTransactions = sql(
  "schema.inventory-transactions",
  `select pid, usename::text as user, application_name as application, state, extract(epoch from clock_timestamp() - xact_start)::float8 as "ageSeconds"
     from pg_catalog.pg_stat_activity
    where datname = current_database() and pid <> pg_catalog.pg_backend_pid() and xact_start < clock_timestamp() - interval '1 minute'
    order by xact_start`,
);

export type PreparedRow = { readonly gid: string; readonly owner: string; readonly ageSeconds: number };

export const preparedTransactions = sql(
  "schema.inventory-prepared",
  `select gid, owner::text, extract(epoch from clock_timestamp() - prepared)::float8 as "ageSeconds"
     from pg_catalog.pg_prepared_xacts where database = current_database() order by prepared`,
);

export const tablespaces = sql(
  "schema.inventory-tablespaces",
  `select distinct t.spcname::text as name from pg_catalog.pg_class c join pg_catalog.pg_tablespace t on t.oid = c.reltablespace
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace where ${users} order by 1`,
);

/** What decides how long a move takes, or whether it can be. */
export const settings = sql(
  "schema.inventory-settings",
  `select name, setting as value from pg_catalog.pg_settings where name = any(array['max_connections', 'max_prepared_transactions', 'max_wal_size',
     'maintenance_work_mem', 'max_locks_per_transaction', 'wal_level', 'archive_mode', 'shared_buffers', 'default_transaction_read_only', 'data_checksums',
     'block_size', 'server_encoding', 'TimeZone', 'session_preload_libraries', 'shared_preload_libraries', 'row_security', 'old_snapshot_threshold', 'fsync'])`,
);
