-- What the plots are drawn from: lag and work of each sync and target, in three grains (seconds of `step`). The daemon writes the finest every ten seconds
-- while there is anything to tell, folds each grain into the next and drops what is older than the grain is for: 70 minutes, 49 hours, 90 days.
create table bucardo.sample (
  step        integer not null check (step in (10, 300, 3600)),
  at          timestamptz not null,             -- of the finest: when it was taken; else the begin of the step
  sync        uuid not null references bucardo.sync on delete cascade,
  target      text not null,
  deltas      bigint,                           -- the most that waited
  lag_seconds double precision,
  rows        bigint not null default 0,        -- written and deleted on the target
  bytes       bigint not null default 0,
  runs        integer not null default 0,       -- that had something to do
  failed      integer not null default 0,
  primary key (sync, target, step, at)
);
create index on bucardo.sample (step, at);

-- Where the daemon serves its page; null: nowhere.
alter table bucardo.daemon add column http_url text;
