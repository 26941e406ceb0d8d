-- Somebody's code at named points of a run, and what each piece is attached to.
create table bucardo.customcode (
  id         integer generated always as identity primary key,
  name       text not null unique,
  about      text,
  whenrun    text not null check (whenrun in ('before_sync', 'before_txn', 'before_check_rows', 'before_trigger_disable', 'after_trigger_disable',
                                              'conflict', 'exception', 'after_table_sync', 'before_trigger_enable', 'after_trigger_enable',
                                              'after_txn', 'after_sync')),
  language   text not null check (language in ('js', 'ts', 'sql')),
  source     text not null,                       -- as it was given
  code       text not null,                       -- as it runs: types taken out
  checksum   text not null,                       -- sha256 of the source, so that a file can be told from what runs
  file       text,                                -- where it was read from; for people
  getdbh     boolean not null default true,
  db         text,                                -- language sql: executed there; null = on the target
  status     text not null default 'active' check (status in ('active', 'inactive')),
  priority   integer not null default 0,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now()
);

create table bucardo.customcode_map (
  code     integer not null references bucardo.customcode on delete cascade,
  sync     uuid references bucardo.sync on delete cascade,
  relation integer references bucardo.relation on delete cascade,
  active   boolean not null default true,
  priority integer,                               -- null = the code's
  check ((sync is null) <> (relation is null)),
  unique (code, sync),
  unique (code, relation)
);
