-- What Bucardo keeps on a source, beside the delta tables and trigger functions of each captured table.
-- Everything is in schema bucardo, so that `pg_dump -N bucardo` leaves it out. Runs in one transaction.
-- Never edit a landed file: add the next number.

create schema if not exists bucardo;

-- One row. Everything that replaces a trigger function takes advisory lock (25205, 3) and reads `fence` first:
-- a fenced source (cutover) must never get its normal functions back by housekeeping.
create table bucardo.capture (
  only_row     boolean primary key default true check (only_row),
  version      integer not null,
  -- open: the trigger functions are the usual ones; armed: they ask fence_until first; closed: for good, applications write elsewhere
  fence        text not null default 'open' check (fence in ('open', 'armed', 'closed')),
  fence_hint   text,                             -- told to those who are refused
  mark         jsonb,                            -- how far a cutover has come that leaves this database
  installed_at timestamptz not null default now()
);

-- Until when writers are refused: microseconds since 1970 by this server's clock; 0 = not, the largest bigint = for good. A sequence, because every
-- transaction reads its present value, also one whose snapshot is older; only fencing trigger functions look at it.
create sequence bucardo.fence_until minvalue 0 start 0;

-- A captured table; `relation` is the truth, the names are as they were when capture began.
create table bucardo.captured_table (
  id            integer generated always as identity primary key,
  relation      oid not null unique,
  schema_name   text not null,
  table_name    text not null,
  key_columns   text[] not null,
  key_types     text[] not null,                 -- schema-qualified, as written in the delta tables
  -- statement: transition tables; tree: the same on every table of a partition tree; row: row triggers
  variant       text not null check (variant in ('statement', 'tree', 'row')),
  notify        boolean not null,                -- wake the daemon when it sleeps (autokick)
  generation    integer not null default 1,      -- the delta table that the trigger functions write to
  installed_at  timestamptz not null default now()
);

-- Delta tables are bucardo.delta_<id>_<generation> (xid bigint, k1 .. kn), without index, only ever appended to.
-- Another generation takes over when one has grown. Every one is truncated when all checkpoints have passed it and nobody is writing into it, so
-- that where nothing waits there are empty files; a retired one is then used again.
-- Readers read all that are no empty files: a writer may still be in an old trigger function.
create table bucardo.generation (
  captured_table integer not null references bucardo.captured_table on delete cascade,
  generation     integer not null,
  delta          regclass not null,
  retired_at     timestamptz,
  primary key (captured_table, generation)
);

-- TRUNCATE leaves no keys behind; it leaves a row here. leaf = the truncated table itself or a part of it.
create table bucardo.truncation (
  xid            bigint not null,
  captured_table integer not null,
  leaf           oid not null
);

-- Per sync and target: the snapshot of this database that the target has reached.
-- snapshot null = registered, nothing may be purged, runs wait.
create table bucardo.checkpoint (
  sync            uuid not null,
  target          text not null,
  installation    uuid not null,
  sync_name       text not null,
  snapshot        text,
  taken_at        timestamptz,
  run             bigint not null default 0,     -- settled runs; also told to the control database, so that going back in time shows
  source_identity jsonb,
  target_identity jsonb,
  target_xid      bigint,                        -- transaction of the last settled run on the target
  primary key (sync, target)
);

-- Per table of a sync. since: the table joined later than the checkpoint and is pending from its own snapshot; null: from the checkpoint's.
create table bucardo.subscription (
  sync           uuid not null,
  target         text not null,
  captured_table integer not null references bucardo.captured_table,
  joined         boolean not null default false, -- false: pins the deltas, runs leave the table out
  since          text,
  recopy         boolean not null default false, -- what waits is not enough (key changed, quota released it): the next run refills the table
  shape          jsonb,                          -- file nodes, columns and leaves at the checkpoint
  primary key (sync, target, captured_table),
  foreign key (sync, target) references bucardo.checkpoint on delete cascade
);

-- Written and flushed before the target commits; tells after a crash which transaction of the target to ask for.
create table bucardo.intent (
  sync       uuid not null,
  target     text not null,
  run        bigint not null,
  snapshot   text not null,
  target_xid bigint not null,
  written_at timestamptz not null default clock_timestamp(),
  primary key (sync, target),
  foreign key (sync, target) references bucardo.checkpoint on delete cascade
);

-- on_error = set_aside: a row that a target refused. The checkpoint has passed its key, so this is all that remembers it: written and deleted in the
-- transaction that moves the checkpoint. The next change of the row supersedes it; replay = the next run tries the row again, as it is then.
-- on_error = overwrite: a row that only the target had and that stood in the way, as it was there.
create table bucardo.set_aside (
  id             bigint generated always as identity primary key,
  sync           uuid not null,
  target         text not null,
  captured_table integer not null,
  kind           text not null check (kind in ('refused', 'overwritten')),
  key            text[] not null,                -- in the order of the captured key, as the server writes them
  image          json,                           -- null: the row is gone, or too large to be kept
  sqlstate       text not null,
  message        text not null,
  run            bigint not null,                -- settled runs, this one included
  noted_at       timestamptz not null default clock_timestamp(),
  replay         boolean not null default false,
  foreign key (sync, target, captured_table) references bucardo.subscription on update cascade on delete cascade
);
create index on bucardo.set_aside (sync, target, captured_table);

-- Deltas waiting per sync, target and table: `select * from bucardo.pending()`. With counting = false it only looks
-- whether there is one (deltas is then 1). Age is an upper bound: nothing waits from before the checkpoint was taken.
create function bucardo.pending(counting boolean default true, only_syncs uuid[] default null)
returns table (sync uuid, sync_name text, target text, table_name text, deltas bigint, age interval)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $body$
declare
  part record;
  gen integer;
  found_here bigint;
  waits text;
begin
  for part in
    with filled as (
      -- the size is of this moment, after the snapshot: an empty file has nothing that the snapshot sees and a checkpoint needs
      select g.captured_table, array_agg(g.generation order by g.retired_at desc nulls first) as generations
        from (select distinct s.captured_table from bucardo.subscription s where only_syncs is null or s.sync = any (only_syncs)) s
        join bucardo.generation g on g.captured_table = s.captured_table
       cross join lateral (select pg_relation_size(g.delta) as bytes offset 0) file
       where file.bytes is distinct from 0
       group by g.captured_table)
    select c.sync, c.sync_name, c.target, c.taken_at, t.id, format('%s.%s', t.schema_name, t.table_name) as table_name,
           coalesce(s.since, c.snapshot)::txid_snapshot as cutoff, coalesce(f.generations, '{}') as generations
      from bucardo.subscription s
      join bucardo.checkpoint c on c.sync = s.sync and c.target = s.target
      join bucardo.captured_table t on t.id = s.captured_table
      left join filled f on f.captured_table = s.captured_table
     where s.joined and c.snapshot is not null and (only_syncs is null or c.sync = any (only_syncs))
       and (f.captured_table is not null or exists (select from bucardo.truncation x where x.captured_table = s.captured_table))
     order by c.sync, c.target, t.id
  loop
    sync := part.sync; sync_name := part.sync_name; target := part.target; table_name := part.table_name;
    age := clock_timestamp() - part.taken_at;
    deltas := 0;
    -- not visible in the cutoff = begun after it, or open when it was taken; this form can use the index of a retired generation
    waits := format('d.xid >= %s or d.xid = any (%L::bigint[])', txid_snapshot_xmax(part.cutoff), array(select txid_snapshot_xip(part.cutoff)));
    foreach gen in array part.generations loop
      if counting then
        execute format('select count(*) from bucardo.delta_%s_%s d where %s', part.id, gen, waits) into found_here;
      else
        execute format('select count(*) from (select from bucardo.delta_%s_%s d where %s limit 1) x', part.id, gen, waits) into found_here;
      end if;
      deltas := deltas + found_here;
      exit when deltas > 0 and not counting;
    end loop;
    if deltas = 0 or counting then
      deltas := deltas + (select count(*) from bucardo.truncation x
                           where x.captured_table = part.id and not txid_visible_in_snapshot(x.xid, part.cutoff));
    end if;
    if deltas > 0 then return next; end if;
  end loop;
end
$body$;
