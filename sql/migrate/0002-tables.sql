-- What the comparison found, for status and report. Runs in one transaction.

-- A table of the old side as it was looked at as a whole; the new side held the same, but for rows on their way.
create table bucardo.migration_table (
  schema_name text not null,
  table_name  text not null,
  rows        bigint not null,
  hash        text not null,                     -- sum of the hashes of the rows, modulo 2^64, in hexadecimal
  on_the_way  bigint not null,                   -- rows that somebody was changing in that moment: compared by their keys afterwards
  at          timestamptz not null default clock_timestamp(),
  primary key (schema_name, table_name)
);
