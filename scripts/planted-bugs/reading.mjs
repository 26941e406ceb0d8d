const settle = "test/hazards/settle.pg.test.ts";
const rewrite = "test/hazards/rewrite.pg.test.ts";
const partition = "test/hazards/partition.pg.test.ts";
const visibility = "test/replicate/visibility.pg.test.ts";
const guards = "test/replicate/guards.pg.test.ts";

/** What a run reads: deltas, snapshot, rows. */
export const reading = [
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
    name: "no-snapshot",
    what: "each table is read at another moment",
    file: "src/replicate/look.ts",
    find: '"begin isolation level repeatable read"',
    replace: '"begin isolation level read committed"',
    tests: [{ file: visibility, name: "belongs to the next run, in every table" }],
  },
  {
    name: "snapshot-before-lock",
    what: "the snapshot is taken before the lock, so that a run that waited applies what is old by now",
    file: "src/replicate/run.ts",
    find: "  await trimStages(target);\n",
    replace: `  await trimStages(target);
  await source.execute(sql("replicate.begin-source", "begin isolation level repeatable read"));
  await source.execute(sql("replicate.early", "select 1"));
`,
    tests: [{ file: settle, name: "H3: " }],
  },
  {
    name: "newest-generation-only",
    what: "deltas that a late writer puts into a retired generation are not read",
    file: "src/replicate/fetch-text.ts",
    find: "plan.table.generations.map(",
    replace: "plan.table.generations.slice(-1).map(",
    tests: [{ file: guards, name: "began before a rotation" }],
  },
  {
    name: "file-nodes-not-checked",
    what: "TRUNCATE or a rewrite during a run makes the table look empty",
    file: "src/replicate/hold.ts",
    find: "          and pg_relation_filenode(c.oid) is distinct from c.relfilenode\n",
    replace: "          and false\n",
    tests: [{ file: rewrite, name: "never shows the target an empty table" }],
  },
  {
    name: "parts-not-held",
    what: "a part that is detached while the run reads is taken for deleted rows",
    file: "src/replicate/hold.ts",
    find: "where l.oid not in (select relation from held)",
    replace: "where false",
    tests: [{ file: partition, name: "leaves while the run reads" }],
  },
  {
    name: "only-dropped-reading",
    what: "rows of a child are read as rows of its parent",
    file: "src/catalog/terms.ts",
    find: 'of.partitioned ? "" : "only "',
    replace: '""',
    tests: [{ file: guards, name: "parent and child of inheritance" }],
  },
  {
    name: "only-dropped-writing",
    what: "a row deleted from a parent takes the child's row of that key along",
    file: "src/replicate/apply-text.ts",
    find: 'link.target.partitioned ? "" : "only "',
    replace: '""',
    tests: [{ file: guards, name: "parent and child of inheritance" }],
  },
  {
    name: "sequences-before-snapshot",
    what: "sequences are read before the rows, and fall behind them",
    file: "src/replicate/run.ts",
    find: "  const expected = takeExpectation(source, definition);\n",
    replace: `  await carrySequences(source, target.session, definition);
  (definition as { relations: unknown }).relations = definition.relations.filter((relation) => relation.kind === "table");
  await reach("replicate.begun");
  const expected = takeExpectation(source, definition);
`,
    tests: [{ file: settle, name: "H24: " }],
  },
];
