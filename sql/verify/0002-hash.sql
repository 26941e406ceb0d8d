-- What a piece held on the source when it was shown to be equal. Runs in one transaction.

alter table bucardo.proof_piece
  add column hash bigint,         -- sum of the hashes of its rows, modulo 2^64
  add column on_the_way bigint;   -- rows that differed at first, as somebody was changing them
