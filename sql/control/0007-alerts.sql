-- Settings of single syncs, and what people were told of what went wrong.

-- Settings that a sync has of its own; the others are those of bucardo.setting.
create table bucardo.sync_setting (
  sync       uuid not null references bucardo.sync on delete cascade,
  name       text not null,
  value      text not null,
  changed_at timestamptz not null default now(),
  primary key (sync, name)
);

-- A problem, from when it was first seen until somebody was told that it is over. Names are as they were then.
create table bucardo.alert (
  id        bigint generated always as identity primary key,
  problem   text not null,                        -- what makes it the same problem
  kind      text not null,
  grade     text not null check (grade in ('warning', 'critical')),
  sync      text,
  target    text,
  db        text,
  what      text not null,
  advice    text not null,
  began_at  timestamptz not null default clock_timestamp(),
  over_at   timestamptz,                          -- null while the problem is there; back to null when it returns before it was closed
  closed_at timestamptz,
  told      jsonb not null default '{}'           -- per channel: raised, or over
);
create unique index on bucardo.alert (problem) where closed_at is null;
create index on bucardo.alert (closed_at);

-- How many runs may use a database at once, as source and as target; null: as many as come. legacy: keys of versions 4 and 5 without meaning here.
alter table bucardo.db
  add column source_limit integer check (source_limit > 0),
  add column target_limit integer check (target_limit > 0),
  add column legacy jsonb not null default '{}';

-- When people were last told that a daemon started.
alter table bucardo.daemon add column told_at timestamptz;
