-- What of a table is otherwise on a database than where it is registered: its name, its columns, its rows.
create table bucardo.custom (
  id          integer generated always as identity primary key,
  relation    integer not null references bucardo.relation on delete cascade,
  kind        text not null check (kind in ('name', 'columns', 'filter')),
  schema_name text,
  table_name  text,
  clause      text,
  db          text references bucardo.db on update cascade on delete cascade,   -- null: every database that is no source
  sync        uuid references bucardo.sync on delete cascade,                   -- null: every sync
  created_at  timestamptz not null default now(),
  check (case when kind = 'name' then schema_name is not null and table_name is not null else clause is not null end)
);

create unique index on bucardo.custom (relation, kind, coalesce(db, ''), coalesce(sync::text, ''));

-- How far the copy in pieces towards a target is (model/run.ts, CopyState); null: none is under way.
alter table bucardo.target_state add column copy jsonb;
