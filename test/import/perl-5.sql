-- The tables of a control database of version 5, as far as an import looks at them; the names are its own.
create schema bucardo;
create table bucardo.bucardo_config (name text not null, setting text not null, defval text, about text, type text, item text, cdate timestamptz default now());
create table bucardo.db (name text primary key, dbdsn text not null default '', dbtype text not null default 'postgres', dbhost text default '', dbport text default '',
  dbname text, dbuser text, dbpass text, dbconn text not null default '', dbservice text default '', pgpass text, status text not null default 'active',
  server_side_prepares boolean not null default true, makedelta boolean not null default false, cdate timestamptz default now());
create table bucardo.dbgroup (name text primary key, about text, cdate timestamptz default now());
create table bucardo.dbmap (db text not null, dbgroup text not null, priority smallint not null default 0, role text not null default 'target');
create table bucardo.goat (id integer primary key, db text not null, schemaname text not null, tablename text not null, reltype text not null default 'table', pkey text,
  qpkey text, pkeytype text, has_delta boolean not null default false, autokick boolean, conflict_strategy text, makedelta text, rebuild_index smallint,
  ghost boolean not null default false, analyze_after_copy boolean not null default true, vacuum_after_copy boolean not null default true,
  strict_checking boolean not null default true);
create table bucardo.herd (name text primary key, about text);
create table bucardo.herdmap (herd text not null, goat integer not null, priority smallint not null default 0);
create table bucardo.sync (name text primary key, herd text, dbs text, stayalive boolean not null default true, kidsalive boolean not null default true,
  conflict_strategy text not null default 'bucardo_latest', copyextra text not null default '', deletemethod text not null default 'delete',
  autokick boolean not null default true, checktime interval, status text not null default 'active', rebuild_index smallint not null default 0,
  priority smallint not null default 0, analyze_after_copy boolean not null default true, vacuum_after_copy boolean not null default false,
  strict_checking boolean not null default true, overdue interval not null default '0 seconds', expired interval not null default '0 seconds',
  track_rates boolean not null default false, onetimecopy smallint not null default 0, lifetime interval, maxkicks integer not null default 0, isolation_level text);
create table bucardo.customcode (id integer primary key, name text not null, about text, whenrun text not null, getdbh boolean not null default true, src_code text not null,
  status text not null default 'active', priority smallint not null default 0);
create table bucardo.customcode_map (code integer not null, sync text, goat integer, active boolean not null default true, priority smallint not null default 0);
create table bucardo.customname (id integer primary key, goat integer not null, newname text, db text, sync text);
create table bucardo.customcols (id integer primary key, goat integer not null, clause text, db text, sync text);
