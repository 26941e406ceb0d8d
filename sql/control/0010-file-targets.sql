-- Databases that are no PostgreSQL servers: files of changes, which can only be targets.
alter table bucardo.db
  add column type text not null default 'postgres' check (type in ('postgres', 'flatpg', 'flatsql')),
  add column directory text check (directory like '/%'),
  add check ((type = 'postgres') = (directory is null));
