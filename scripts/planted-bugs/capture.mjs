const partition = "test/hazards/partition.pg.test.ts";
const guards = "test/replicate/guards.pg.test.ts";
const basic = "test/replicate/basic.pg.test.ts";
const statements = "test/replicate/statements.pg.test.ts";

/** What the triggers write down. */
export const capture = [
  {
    name: "no-old-key",
    what: "a changed key leaves the row under its old key on the target",
    file: "src/capture/function-text.ts",
    find: 'return `  insert into ${delta} values (pg_catalog.txid_current(), ${keyOf("old")});`;',
    replace: "return `  null;`;",
    tests: [{ file: basic, name: "rows follow from 12" }],
  },
  {
    name: "no-new-key",
    what: "a changed key of a table with row triggers is known by its old key only",
    file: "src/capture/function-text.ts",
    find: `elsif tg_op = 'UPDATE' and (`,
    replace: `elsif tg_op = 'UPDATE' and false and (`,
    tests: [{ file: guards, name: "parent and child of inheritance" }],
  },
  {
    name: "tree-update-new-only",
    what: "a row that moves to another part stays under its old key",
    file: "src/capture/function-text.ts",
    find: "\n    union ${keysIn(OLD_ROWS)};${wake}`",
    replace: ";${wake}`",
    tests: [{ file: partition, name: "PostgreSQL 15: parts that leave" }],
  },
  {
    name: "truncate-not-captured",
    what: "the trigger writes no marker for TRUNCATE",
    file: "src/capture/function-text.ts",
    find: "return `  insert into bucardo.truncation (xid, captured_table, leaf) values (pg_catalog.txid_current(), ${captured.id}, tg_relid);${wake}`;",
    replace: "return `  null;`;",
    tests: [{ file: statements, name: "every kind of statement, from 18 to 10, one by one" }],
  },
  {
    name: "child-by-statement-trigger",
    what: "statements on a parent change rows of a captured child unseen",
    file: "src/capture/tree.ts",
    find: '  if (tree.related) return "row";\n',
    replace: "",
    tests: [{ file: guards, name: "parent and child of inheritance" }],
  },
  {
    name: "register-after-snapshot",
    what: "the snapshot of a new target is taken before the row that keeps purge from its deltas",
    file: "src/capture/install.ts",
    find: "  await ensureCaptureSchema(source);\n",
    replace: `  await ensureCaptureSchema(source);
  const { early } = await source.one<{ early: string }>({ name: "early", text: "select txid_current_snapshot()::text as early" });
  await using _late = {
    [Symbol.asyncDispose]: async () => {
      await source.execute({ name: "late", text: "update bucardo.checkpoint set snapshot = $1 where run = 0", values: [early] });
    },
  };
`,
    tests: [{ file: guards, name: "between the snapshot of a new target" }],
  },
];
