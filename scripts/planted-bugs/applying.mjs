const rewrite = "test/hazards/rewrite.pg.test.ts";
const partition = "test/hazards/partition.pg.test.ts";
const guards = "test/replicate/guards.pg.test.ts";
const basic = "test/replicate/basic.pg.test.ts";
const statements = "test/replicate/statements.pg.test.ts";

/** What becomes of it on the target. */
export const applying = [
  {
    name: "truncate-marker-ignored",
    what: "rows of before a TRUNCATE stay on the target",
    file: "src/replicate/plan.ts",
    find: "  const truncated = new Set(table.truncated);",
    replace: "  const truncated = new Set<number>();",
    tests: [{ file: statements, name: "every kind of statement, from 18 to 10, one by one" }],
  },
  {
    name: "rewrites-ignored",
    what: "ALTER TABLE that rewrites leaves no deltas, and the target keeps the old values",
    file: "src/replicate/plan.ts",
    find: '  if (rewritten) return "the table was rewritten since the checkpoint";\n',
    replace: "",
    tests: [{ file: rewrite, name: "a rewrite between two runs is copied" }],
  },
  {
    name: "lost-triggers-ignored",
    what: "what was written while our triggers were away is not carried",
    file: "src/replicate/plan.ts",
    find: '    return "its triggers were away since the checkpoint";\n',
    replace: "    return null;\n",
    tests: [{ file: partition, name: "while its triggers were away" }],
  },
  {
    name: "gone-parts-ignored",
    what: "rows of a part that left stay on the target",
    file: "src/replicate/plan.ts",
    find: "  return [...left, ...emptied];",
    replace: "  return [...emptied];",
    tests: [{ file: partition, name: "PostgreSQL 15: parts that leave" }],
  },
  {
    name: "joined-parts-ignored",
    what: "rows that came with an attached part are not sent",
    file: "src/replicate/plan.ts",
    find: "  const joined = before === null ? [] : leavesJoined(before, now);",
    replace: "  const joined: LeafState[] = [];",
    tests: [{ file: partition, name: "PostgreSQL 15: parts that leave" }],
  },
  {
    name: "stored-defaults-ignored",
    what: "a column added with default now() has another value on the target",
    file: "src/replicate/plan.ts",
    find: "  if (added.length === 0 || (await holdsStored(target, table, added))) return null;",
    replace: "  if (added.length >= 0) return null;",
    tests: [{ file: rewrite, name: "a column added with a value for old rows" }],
  },
  {
    name: "no-fallback",
    what: "unique values that change places stop the sync",
    file: "src/replicate/apply.ts",
    find: 'const IN_THE_WAY = new Set(["23505", "23P01"]);',
    replace: "const IN_THE_WAY = new Set<string>();",
    tests: [{ file: statements, name: "every kind of statement, from 18 to 10, one by one" }],
  },
  {
    name: "deletes-not-applied",
    what: "keys that the source does not have any more stay on the target",
    file: "src/replicate/apply.ts",
    find: "  const upsert = [...before, deleteGoneText(link, stage), upsertText(link, stage)];",
    replace: "  const upsert = [...before, upsertText(link, stage)];",
    tests: [{ file: basic, name: "rows follow from 12" }],
  },
  {
    name: "triggers-awake",
    what: "triggers and foreign keys of the target answer to the run",
    file: "src/replicate/member.ts",
    find: '"set session_replication_role = replica"',
    replace: '"set session_replication_role = origin"',
    tests: [{ file: guards, name: "foreign keys of the target do not answer" }],
  },
];
