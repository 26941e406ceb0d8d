-- Syncs with several sources: what conflicts between them mean, and the log of those that were decided.

alter table bucardo.sync
  add column conflict_strategy text not null default 'bucardo_latest',
  add column fk_conflict       text not null default 'restore' check (fk_conflict in ('restore', 'delete', 'ignore')),
  add column sequence_conflict text not null default 'highest' check (sequence_conflict in ('highest', 'lowest'));

update bucardo.sync
   set conflict_strategy = legacy->>'conflict_strategy', legacy = legacy - 'conflict_strategy'
 where coalesce(legacy->>'conflict_strategy', '') <> '';

-- Null: the sync's.
alter table bucardo.relation add column conflict_strategy text;

-- The databases that a sync brings changes to, as its kicks and states count them: all but the first source. Other sources send theirs on the way.
create view bucardo.sync_target as
  select s.id as sync, m.db as target, m.role
    from bucardo.sync s
    join bucardo.dbgroup_member m on m.dbgroup = s.dbgroup
   where m.db is distinct from (select f.db from bucardo.dbgroup_member f where f.dbgroup = s.dbgroup and f.role = 'source' order by f.priority desc, f.db limit 1);

-- Values of users' rows: they stand here and on the databases themselves, nowhere else. A removed sync leaves its log.
create table bucardo.conflict (
  number         bigint generated always as identity primary key,
  id             uuid not null unique,           -- given on the database where it was decided, so that moving it here twice makes one
  sync           uuid not null,
  sync_name      text not null,
  member         text not null,                  -- where it was decided
  table_name     text not null,
  kind           text not null check (kind in ('row', 'unique', 'foreign_key')),
  key_columns    text[] not null,
  key            text[] not null,
  local_key      text[] not null,
  incoming_db    text not null,
  local_db       text not null,
  incoming_at    timestamptz,
  local_at       timestamptz,
  incoming_image json,                           -- null: deleted
  local_image    json,
  winner         text not null check (winner in ('incoming', 'local', 'none')),
  why            text not null,
  decided_at     timestamptz not null,
  noted_at       timestamptz not null default clock_timestamp(),
  replayed_at    timestamptz                     -- the row that lost was written back
);
create index on bucardo.conflict (sync, number);
create index on bucardo.conflict (decided_at);

create or replace view bucardo.syncrun as
  select s.name as sync, r.truncates, r.deleted as deletes, r.upserted as inserts,
         (select coalesce(sum((t->>'conflicts')::bigint), 0)::bigint from jsonb_array_elements(r.tables) t) as conflicts,
         r.started_at as started, r.ended_at as ended,
         r.id = (select max(x.id) from bucardo.run x where x.sync = r.sync and x.outcome = 'good') as lastgood,
         r.id = (select max(x.id) from bucardo.run x where x.sync = r.sync and x.outcome = 'bad') as lastbad,
         r.id = (select max(x.id) from bucardo.run x where x.sync = r.sync and x.outcome = 'empty') as lastempty,
         r.error_message as details, coalesce(initcap(r.outcome), r.step) as status, r.target
    from bucardo.run r join bucardo.sync s on s.id = r.sync;
