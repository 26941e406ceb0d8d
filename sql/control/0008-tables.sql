-- Tables that syncs know and do not replicate, and what follows the copy of single tables (model/sync.ts, CopyPolicy); what is not in it is the sync's.
alter table bucardo.relation
  add column ghost   boolean not null default false,
  add column copying jsonb not null default '{}';

-- They meant nothing when they were set.
update bucardo.relation set legacy = legacy - array['ghost', 'rebuild_index', 'analyze_after_copy', 'vacuum_after_copy'];
