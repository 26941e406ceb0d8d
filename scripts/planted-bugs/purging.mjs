const purge = "test/hazards/purge.pg.test.ts";
const guards = "test/replicate/guards.pg.test.ts";

/** Housekeeping. */
export const purging = [
  {
    name: "purge-for-one-target",
    what: "deltas go when the first of the targets has them",
    file: "src/capture/purge.ts",
    find: `            where s.captured_table = $1
              and (not s.joined`,
    replace: `            where s.captured_table = $1 and s.target = (select max(target) from bucardo.checkpoint)
              and (not s.joined`,
    tests: [{ file: guards, name: "until every target has passed" }],
  },
  {
    name: "purge-by-age",
    what: "deltas older than the checkpoint's xmax go, though their transaction was still open",
    file: "src/capture/purge.ts",
    find: "where not txid_visible_in_snapshot(d.xid, coalesce(s.since, c.snapshot)::txid_snapshot)))) as needed`",
    replace: "where d.xid >= txid_snapshot_xmax(coalesce(s.since, c.snapshot)::txid_snapshot)))) as needed`",
    tests: [{ file: guards, name: "was open at a checkpoint keeps" }],
  },
  {
    name: "purge-without-lock",
    what: "a writer comes between the test and the TRUNCATE",
    file: "src/capture/purge.ts",
    find: '    await source.script(sql("capture.lock-generation", `lock table ${delta} in access exclusive mode`));\n',
    replace: "",
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
];
