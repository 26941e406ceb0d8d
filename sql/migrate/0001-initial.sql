-- What a guided move (`bucardo migrate`) remembers, on the database it moves away from, beside the capture of the same sync.
-- Gone with `bucardo migrate finish` or `abort`. Runs in one transaction; schema bucardo is there already.

-- One row: one move of this database at a time.
create table bucardo.migration (
  only_row        boolean primary key default true check (only_row),
  id              uuid not null,                 -- also the id of its sync
  version         integer not null,              -- of this file
  target_place    text not null,                 -- host, port and database, for people
  target_identity jsonb not null,                -- which server and database it was begun with
  found           jsonb not null,                -- what the new side had before, owners and rights included, which giving up brings back
  options         jsonb not null,
  relations       jsonb,                         -- what takes part; null until the structure is made
  phase           text not null,                 -- the step that is being done, or was last
  -- the side that applications write to: the old server until the cutover, then the new one
  open_side       text not null default 'old' check (open_side in ('old', 'new')),
  progress        jsonb,                         -- what `status` and `watch` show; at most a second old while somebody works
  started_at      timestamptz not null default clock_timestamp(),
  changed_at      timestamptz not null default clock_timestamp()
);

-- How long each step took, and what it did; a step that was broken off and gone on with has several rows.
create table bucardo.migration_step (
  id      bigint generated always as identity primary key,
  phase   text not null,
  began   timestamptz not null default clock_timestamp(),
  ended   timestamptz,
  outcome text check (outcome in ('done', 'failed')),
  detail  jsonb
);

-- Statements of the schema that are done on the target, and those left out by choice. begun: of roles, which are of the whole server and must be known for
-- ours even when the program dies before it hears that they are there.
create table bucardo.migration_object (
  object  text primary key,
  outcome text not null check (outcome in ('begun', 'done', 'skipped')),
  note    text,                                  -- why it did not have to be made
  at      timestamptz not null default clock_timestamp()
);

-- For the plots of the report: how far a phase was, at most every few seconds; thinned out when there are many.
create table bucardo.migration_sample (
  at      timestamptz not null default clock_timestamp(),
  phase   text not null,
  done    double precision not null,
  rate    double precision,
  deltas  bigint
);
