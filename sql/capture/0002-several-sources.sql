-- What a database needs that is a source and is written to by replication as well.

-- stamped: the delta tables of it have two columns more.
--   at   when the row was changed where it was changed first
--   via  databases that the change has passed, first the one where it was made; null: an application made it here.
--        It is never sent to one of them.
alter table bucardo.captured_table add column stamped boolean not null default false;

-- Conflicts decided by a run that wrote here, noted in the transaction that acts on the decision. The daemon moves them to the control database.
create table bucardo.noted_conflict (
  id             uuid primary key,
  sync           uuid not null,
  member         text not null,                  -- this database
  table_name     text not null,
  kind           text not null check (kind in ('row', 'unique', 'foreign_key')),
  key_columns    text[] not null,
  key            text[] not null,                -- of the row that arrived
  local_key      text[] not null,                -- of the one it met
  incoming_db    text not null,                  -- where the change was made
  local_db       text not null,
  incoming_at    timestamptz,
  local_at       timestamptz,
  incoming_image json,                           -- null: deleted
  local_image    json,
  winner         text not null check (winner in ('incoming', 'local', 'none')),
  why            text not null,
  decided_at     timestamptz not null default clock_timestamp()
);
