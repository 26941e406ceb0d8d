-- What is kept on a source about tables without key that a move follows by the images of their rows. In schema bucardo, beside what capture keeps there.
-- Runs in one transaction. Never edit a landed file: add the next number.

-- Delta tables are bucardo.image_<id> (xid bigint, n smallint, c1 .. cm): n = 1 a row that came, -1 one that went, 0 (without a row) a TRUNCATE.
create table bucardo.image_table (
  id              integer generated always as identity primary key,
  sync            uuid not null,
  relation        oid not null unique,
  schema_name     text not null,
  table_name      text not null,
  columns         text[] not null,
  -- The state of this database that the target has; null: the target needs the whole table.
  snapshot        text,
  print           text,                          -- file and columns of then: rewritten tables are copied again
  -- Written and flushed before the target commits: which state it then has. Its transaction tells whether it did.
  intent          text,
  intent_print    text,
  target_xid      bigint
);
