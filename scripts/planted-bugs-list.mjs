/**
 * Bugs that somebody could make, as exact replacements, with the tests that define the right behaviour. `find` must stand exactly once in `file`;
 * `tests` name files and a pattern of test names (as for vitest -t). scripts/planted-bugs.mjs plants one after the other.
 */
const settle = "test/hazards/settle.pg.test.ts";
const rewrite = "test/hazards/rewrite.pg.test.ts";
const visibility = "test/replicate/visibility.pg.test.ts";
const basic = "test/replicate/basic.pg.test.ts";

export const bugs = [
  {
    name: "xip-dropped",
    what: "transactions that were open at the checkpoint are never read again",
    file: "src/capture/waits.ts",
    find: "return `(${column} >= ${xmax}${open})`;",
    replace: "return `(${column} >= ${xmax})`;",
    tests: [{ file: visibility, name: "commits out of order" }],
  },
  {
    name: "xmax-off-by-one",
    what: "the first transaction after the checkpoint is left out",
    file: "src/capture/waits.ts",
    find: "return `(${column} >= ${xmax}${open})`;",
    replace: "return `(${column} > ${xmax}${open})`;",
    tests: [{ file: visibility, name: "first transaction after" }],
  },
  {
    name: "settle-first",
    what: "the checkpoint moves before the target has committed",
    file: "src/replicate/run.ts",
    find: `  context.signal.throwIfAborted();
  await target.session.execute(sql("replicate.commit-target", "commit"));`,
    replace: `  context.signal.throwIfAborted();
  if (tables.length > 0) await settle(source, definition, batch, { sourceIdentity, target: settled });
  await target.session.execute(sql("replicate.commit-target", "commit"));`,
    tests: [{ file: visibility, name: "target that dies with its commit" }],
  },
  {
    name: "no-old-key",
    what: "a changed key leaves the row under its old key on the target",
    file: "src/capture/function-text.ts",
    find: 'return `  insert into ${delta} values (pg_catalog.txid_current(), ${keyOf("old")});`;',
    replace: "return `  null;`;",
    tests: [{ file: basic, name: "rows follow from" }],
  },
  {
    name: "file-nodes-not-checked",
    what: "TRUNCATE or a rewrite during a run makes the table look empty",
    file: "src/replicate/hold.ts",
    find: "and pg_relation_filenode(c.oid) is distinct from c.relfilenode",
    replace: "and false",
    tests: [{ file: rewrite, name: "never shows the target an empty table" }],
  },
  {
    name: "no-lock",
    what: "two runs of one sync may overtake each other",
    file: "src/replicate/run.ts",
    find: "  await lockTarget(target.session, definition.sync);\n",
    replace: "",
    tests: [{ file: settle, name: "H3: a second run waits" }],
  },
  {
    name: "settle-without-compare",
    what: "the checkpoint is set whatever it is by now",
    file: "src/replicate/settle.ts",
    find: "where sync = $1 and target = $2 and snapshot = $3 and run = $8",
    replace: "where sync = $1 and target = $2 and $3::text is not null and $8::bigint is not null",
    tests: [{ file: settle, name: "compare-and-set" }],
  },
];
