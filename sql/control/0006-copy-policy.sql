-- How whole tables are emptied and what follows their copy (model/sync.ts, CopyPolicy); what is not in it has its default.
alter table bucardo.sync add column copying jsonb not null default '{}';
