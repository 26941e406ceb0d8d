const purge = "test/hazards/purge.pg.test.ts";
const guards = "test/replicate/guards.pg.test.ts";
const atRest = "test/hazards/at-rest.pg.test.ts";
const rewrite = "test/hazards/rewrite.pg.test.ts";

/** Housekeeping. */
export const purging = [
  {
    name: "purge-for-one-target",
    what: "deltas go when the first of the targets has them",
    file: "src/capture/empty.ts",
    find: "where s.captured_table = ${captured} offset 0",
    replace: "where s.captured_table = ${captured} and s.target = (select max(target) from bucardo.checkpoint) offset 0",
    tests: [{ file: guards, name: "until every target has passed" }],
  },
  {
    name: "purge-by-age",
    what: "deltas older than the checkpoint's xmax go, though their transaction was still open",
    file: "src/capture/empty.ts",
    find: "where not txid_visible_in_snapshot(d.xid, s.cutoff)",
    replace: "where d.xid >= txid_snapshot_xmax(s.cutoff)",
    tests: [{ file: guards, name: "was open at a checkpoint keeps" }],
  },
  {
    name: "purge-without-lock",
    what: "a writer comes between the test and the TRUNCATE",
    file: "src/capture/empty.ts",
    find: "lock table ${delta} in share row exclusive mode",
    replace: "lock table ${delta} in access share mode",
    tests: [{ file: guards, name: "between a purge's look and its TRUNCATE" }],
  },
  {
    name: "truncations-purged-at-once",
    what: "markers of TRUNCATE go before every target has seen them",
    file: "src/capture/purge.ts",
    find: "             and (not s.joined or c.snapshot is null or not txid_visible_in_snapshot(x.xid, coalesce(s.since, c.snapshot)::txid_snapshot)))`",
    replace: "             and (not s.joined or c.snapshot is null))`",
    tests: [{ file: guards, name: "a TRUNCATE that some target has not seen" }],
  },
  {
    name: "fence-lifted",
    what: "housekeeping gives a fenced source its normal functions back",
    file: "src/capture/purge.ts",
    find: 'if (now?.generation !== table.generation || fence !== "open") return false;',
    replace: 'if (now?.generation !== table.generation || fence === "") return false;',
    tests: [{ file: purge, name: "H11: " }],
  },
  {
    name: "almost-empty-is-empty",
    what: "a delta table with a few rows is not looked into",
    file: "src/replicate/look.ts",
    find: "where f.bytes is distinct from 0",
    replace: "where f.bytes > 8192",
    tests: [{ file: atRest, name: "15: a table at rest" }],
  },
  {
    name: "catalog-not-looked-at",
    what: "what happens to a table without leaving deltas is noticed by new connections only",
    file: "src/replicate/take.ts",
    find: "memory.print === found.print",
    replace: 'found.print !== ""',
    tests: [{ file: rewrite, name: "H2" }],
  },
  {
    name: "emptied-under-the-writer",
    what: "each housekeeping empties tables that are being written to",
    file: "src/capture/empty.ts",
    find: "return current && quiet !== null ? `${waits} or ${hot}` : waits;",
    replace: "return hot === waits ? hot : waits;",
    tests: [{ file: atRest, name: "now and then" }],
  },
];
