-- What a proof keeps on the source while large tables are compared piece by piece. In schema bucardo, beside what capture keeps there; gone with the proof.
-- Runs in one transaction. Never edit a landed file: add the next number.

-- A range of keys of one table. A worker keeps a waiting piece locked while it looks at it.
create table bucardo.proof_piece (
  id              bigint generated always as identity primary key,
  sync            uuid not null,                 -- of the proof
  captured_table  integer not null,
  part            oid not null,                  -- what is read on the source: the table itself, or a partition
  target_schema   text not null,                 -- what is read on the target
  target_name     text not null,
  lower_bound     text[],                        -- key >= lower, key < upper, each side in its own order; null: open
  upper_bound     text[],
  bytes           bigint not null,               -- about so many of the source's disk
  state           text not null default 'waiting' check (state in ('waiting', 'done')),
  rows            bigint,
  done_at         timestamptz
);

create index on bucardo.proof_piece (sync, id) where state = 'waiting';
