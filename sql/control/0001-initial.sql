-- The memory of one Bucardo installation. Everything lives in schema bucardo of the control database.
-- Never edit a landed file: add the next number. The schema is there when this runs, as its owner may lack CREATE on the database.

-- One row per applied file of sql/control; the program refuses a version newer than its own.
create table bucardo.schema_version (
  version    integer primary key,
  name       text not null,
  applied_at timestamptz not null default now()
);

-- Identity of this installation, so that two control databases never mistake each other's objects on a shared source.
create table bucardo.installation (
  only_row boolean primary key default true check (only_row),
  id       uuid not null
);

-- Settings that differ from their defaults (the defaults are in the program: operations/setting).
create table bucardo.setting (
  name       text primary key,
  value      text not null,
  changed_at timestamptz not null default now()
);

create table bucardo.db (
  name       text primary key,
  dbname     text,
  host       text,
  port       integer check (port between 1 and 65535),
  "user"     text,
  password   text check (password like 'env:%' or password like 'enc:v1:%'),  -- never clear text
  service    text,
  pgpass     text,
  conn       text,
  status     text not null default 'active' check (status in ('active', 'inactive')),
  created_at timestamptz not null default now()
);

create table bucardo.dbgroup (
  name       text primary key,
  created_at timestamptz not null default now()
);

create table bucardo.dbgroup_member (
  dbgroup  text not null references bucardo.dbgroup on update cascade on delete cascade,
  db       text not null references bucardo.db on update cascade on delete cascade,
  role     text not null default 'target' check (role in ('source', 'target', 'fullcopy')),
  priority integer not null default 0,
  primary key (dbgroup, db)
);

-- A table or sequence we know of (old word: goat).
create table bucardo.relation (
  id              integer generated always as identity primary key,
  db              text not null references bucardo.db on update cascade on delete cascade,
  schema_name     text not null,
  relation_name   text not null,
  kind            text not null check (kind in ('table', 'sequence')),
  key_columns     text[],
  autokick        boolean,
  strict_checking boolean,
  legacy          jsonb not null default '{}',
  created_at      timestamptz not null default now(),
  unique (db, schema_name, relation_name)
);

-- Old word: herd.
create table bucardo.relgroup (
  name       text primary key,
  created_at timestamptz not null default now()
);

create table bucardo.relgroup_member (
  relgroup text not null references bucardo.relgroup on update cascade on delete cascade,
  relation integer not null references bucardo.relation on delete cascade,
  priority integer not null default 0,
  primary key (relgroup, relation)
);

create table bucardo.sync (
  id              uuid primary key,
  name            text not null unique,
  relgroup        text not null references bucardo.relgroup on update cascade,
  dbgroup         text not null references bucardo.dbgroup on update cascade,
  status          text not null default 'active' check (status in ('active', 'inactive')),
  paused          boolean not null default false,
  autokick        boolean not null default true,
  checktime       interval check (checktime > interval '0'),
  onetimecopy     smallint not null default 0 check (onetimecopy in (0, 1, 2)),
  strict_checking boolean not null default true,
  on_error        text not null default 'stop' check (on_error in ('stop', 'overwrite', 'set_aside')),
  priority        integer not null default 0,
  legacy          jsonb not null default '{}',   -- settings of versions 4 and 5 without meaning here
  ready           boolean not null default false, -- capture is installed; false after a crash between these rows and it
  created_at      timestamptz not null default now(),
  changed_at      timestamptz not null default now()
);

-- A request that a sync run now. Durable: one sent before the daemon is up is not lost.
-- It is done when a run that began after it has settled on every target (kick_target has one row per target then).
create table bucardo.kick (
  id           bigint generated always as identity primary key,
  sync         uuid not null references bucardo.sync on delete cascade,
  requested_at timestamptz not null default clock_timestamp(),
  requested_by text not null default session_user,
  done_at      timestamptz                         -- every target has settled it
);
create index on bucardo.kick (sync, id) where done_at is null;

create table bucardo.kick_target (
  kick     bigint not null references bucardo.kick on delete cascade,
  target   text not null,
  run      bigint not null,
  ended_at timestamptz not null default clock_timestamp(),
  outcome  text not null check (outcome in ('good', 'empty', 'bad')),
  primary key (kick, target)
);

-- One row per run of a sync towards one target; the open one carries the progress.
create table bucardo.run (
  id            bigint generated always as identity primary key,
  sync          uuid not null references bucardo.sync on delete cascade,
  target        text not null,
  reason        text not null check (reason in ('start', 'kick', 'change', 'checktime', 'retry')),
  started_at    timestamptz not null default clock_timestamp(),
  ended_at      timestamptz,
  outcome       text check (outcome in ('good', 'empty', 'bad')),
  step          text,
  current_table text,
  rows_expected bigint,
  rows_done     bigint not null default 0,
  rate          double precision,                -- rows per second lately; null while none move
  bytes_done    bigint not null default 0,
  upserted      bigint not null default 0,
  deleted       bigint not null default 0,
  truncates     bigint not null default 0,
  tables        jsonb not null default '[]',     -- per table: TableCounts
  error_code    text,
  error_message text,
  error_table   text,
  error_key     text,
  sqlstate      text,
  advice        text,
  updated_at    timestamptz not null default clock_timestamp()
);
create index on bucardo.run (sync, target, id);
create index on bucardo.run (ended_at);
create index on bucardo.run (sync, target) where ended_at is null;

-- What the daemon last knew of a sync towards a target; `status` reads it. Survives the pruning of runs.
create table bucardo.target_state (
  sync        uuid not null references bucardo.sync on delete cascade,
  target      text not null,
  state       text not null,                      -- word for people: Idle, Waiting, Stopped, Paused
  detail      text,                               -- why, and what to do
  last_good   bigint,                             -- run ids
  last_bad    bigint,
  deltas      bigint,
  lag_seconds double precision,
  checked_at  timestamptz,
  set_aside   bigint not null default 0,          -- rows that wait on the source to be replayed
  settled     bigint,                             -- runs settled as the source counts them; a source that counts fewer went back in time
  copied      boolean not null default false,     -- has had the copy that onetimecopy asks for; other targets may not
  updated_at  timestamptz not null default clock_timestamp(),
  primary key (sync, target)
);

-- Whoever changes onetimecopy asks for a copy of every target.
create function bucardo.onetimecopy_set() returns trigger language plpgsql as $$
begin
  update bucardo.target_state set copied = false where sync = new.id and copied;
  return null;
end $$;
create trigger onetimecopy_set after update of onetimecopy on bucardo.sync
  for each row when (old.onetimecopy is distinct from new.onetimecopy) execute procedure bucardo.onetimecopy_set();

-- Disk that the deltas of a source take, as the daemon last saw it.
create table bucardo.source_state (
  db           text primary key references bucardo.db on update cascade on delete cascade,
  bytes        bigint not null,
  growth       double precision not null,          -- bytes per second
  seconds_left double precision,                   -- until the quota; null: not in sight
  note         text,
  checked_at   timestamptz not null default clock_timestamp()
);

-- The daemon that owns this control database; it holds advisory lock (0x6275, 1) for as long as it lives.
create table bucardo.daemon (
  only_row    boolean primary key default true check (only_row),
  pid         integer not null,
  host        text not null,
  version     text not null,
  reason      text,
  started_at  timestamptz not null default clock_timestamp(),
  ready_at    timestamptz,
  stopped_at  timestamptz
);

-- Commands to a living daemon that are not kicks: ping, message, reload, reopen.
create table bucardo.request (
  id           bigint generated always as identity primary key,
  verb         text not null,
  argument     text,
  requested_at timestamptz not null default clock_timestamp(),
  done_at      timestamptz,
  answer       text
);

-- What a command could not remove because a database did not answer (--force); `uninstall`, `validate all` and
-- a later `remove` with the same name try again.
create table bucardo.remainder (
  db         text not null references bucardo.db on update cascade on delete cascade,
  sync       uuid not null,
  sync_name  text not null,
  noted_at   timestamptz not null default now(),
  primary key (db, sync)
);

-- Old name and columns, for scripts that read the history of runs.
create view bucardo.syncrun as
  select s.name as sync, r.truncates, r.deleted as deletes, r.upserted as inserts, 0::bigint as conflicts,
         r.started_at as started, r.ended_at as ended,
         r.id = (select max(x.id) from bucardo.run x where x.sync = r.sync and x.outcome = 'good') as lastgood,
         r.id = (select max(x.id) from bucardo.run x where x.sync = r.sync and x.outcome = 'bad') as lastbad,
         r.id = (select max(x.id) from bucardo.run x where x.sync = r.sync and x.outcome = 'empty') as lastempty,
         r.error_message as details, coalesce(initcap(r.outcome), r.step) as status, r.target
    from bucardo.run r join bucardo.sync s on s.id = r.sync;
