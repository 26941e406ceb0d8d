-- What a first copy keeps on its source, from its beginning until it is forgotten. In schema bucardo, beside what capture keeps there.
-- Runs in one transaction. Never edit a landed file: add the next number.

-- A table that is copied, or was, for one target of a sync.
create table bucardo.copy_table (
  id              integer generated always as identity primary key,
  sync            uuid not null,
  target          text not null,
  relation        oid not null,
  schema_name     text not null,                 -- by which the target knows it
  table_name      text not null,
  captured_table  integer,                       -- null: not captured, so it travels in one piece
  key_columns     text[],                        -- pieces are ranges of this key; null: one piece for each part of the table
  -- refill: emptied and filled in one transaction; direct: emptied first, then filled piece by piece;
  -- stage: the same, through a stage, because it has unique indexes in which a value may wander (hazard 12)
  fill            text not null check (fill in ('refill', 'direct', 'stage')),
  -- Changes count from this snapshot, of which `shape` is; the subscription takes over both when the last piece has arrived.
  since           text not null,
  shape           jsonb,
  source_identity jsonb not null,
  bytes           bigint not null,               -- on the source's disk when the copy began
  began_at        timestamptz not null default clock_timestamp(),
  ended_at        timestamptz,                   -- all pieces arrived
  unique (sync, target, schema_name, table_name)
);

--   held -> waiting -> sent -> done
--              ^________|  the target's transaction turned out to be rolled back, or nobody knows (then `again`)
-- A worker keeps a waiting piece locked while it copies it. "sent" is written, with the target's transaction, before that one commits.
create table bucardo.copy_piece (
  copy_table      integer not null references bucardo.copy_table on delete cascade,
  number          bigint not null,               -- of the n-th part from n million on, so that parts can be cut at the same time
  rank            integer not null,              -- order of work
  state           text not null check (state in ('held', 'waiting', 'sent', 'done')),
  part            oid not null,                  -- what is read: the table itself, or a partition; 0: the piece that empties the target
  lower_bound     text[],                        -- key >= lower, key < upper; null: open
  upper_bound     text[],
  bytes_expected  bigint not null,
  final           boolean not null,              -- false: to be cut when it is larger than a piece should be
  again           boolean not null default false, -- its rows may be on the target already
  target_identity jsonb,
  target_xid      bigint,
  rows            bigint,
  bytes           bigint,
  done_at         timestamptz,
  primary key (copy_table, number)
);

create index on bucardo.copy_piece (rank, copy_table, number) where state <> 'done';
