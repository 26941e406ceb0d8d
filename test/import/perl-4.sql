-- The tables of a control database of version 4, as far as an import looks at them; the names are its own.
create schema bucardo;
create table bucardo.bucardo_config (setting text not null, value text, about text, cdate timestamptz default now());
create table bucardo.db (name text primary key, dbhost text not null default '', dbport integer not null default 5432, dbname text not null, dbuser text not null, dbpass text,
  dbconn text not null default '', status text not null default 'active', sourcelimit smallint not null default 0, targetlimit smallint not null default 0);
create table bucardo.dbgroup (name text primary key);
create table bucardo.dbmap (db text not null, dbgroup text not null, priority smallint not null default 0);
create table bucardo.goat (id integer primary key, db text not null, schemaname text not null, tablename text not null, reltype text not null default 'table', ghost boolean,
  ping boolean, standard_conflict text, customselect text, makedelta boolean, has_delta boolean not null default false, strict_checking boolean not null default true);
create table bucardo.herd (name text primary key);
create table bucardo.herdmap (herd text not null, goat integer not null, priority smallint not null default 0);
create table bucardo.sync (name text primary key, source text not null, targetdb text, targetgroup text, synctype text not null, copytype text not null default 'copy',
  deletemethod text not null default 'delete', ping boolean not null default true, checktime interval, status text not null default 'active',
  priority smallint not null default 0, onetimecopy smallint not null default 0, strict_checking boolean not null default true, txnmode text);
create table bucardo.customcode (id integer primary key, name text not null, whenrun text not null, getdbh boolean not null default true, getrows boolean, src_code text not null,
  status text not null default 'active');
create table bucardo.customcode_map (code integer not null, sync text, goat integer, active boolean not null default true, priority smallint not null default 0);
