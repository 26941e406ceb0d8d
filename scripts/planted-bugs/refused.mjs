const aside = "test/replicate/set-aside.pg.test.ts";
const overwrite = "test/replicate/overwrite.pg.test.ts";
const faults = "test/replicate/data-faults.pg.test.ts";

/** What becomes of rows that a target refuses. */
export const refused = [
  {
    name: "refused-values-are-cut",
    what: "a value that is too long for the target is shortened in silence while the row at fault is looked for",
    file: "src/replicate/careful-fetch.ts",
    find: "select format('%I.%I', n.nspname, t.typname) as type",
    replace: "select format_type(a.atttypid, a.atttypmod) as type",
    tests: [{ file: faults, name: "a column that is too short on the target" }],
  },
  {
    name: "replayed-rows-do-not-travel",
    what: "a row that was set aside is never tried again",
    file: "src/replicate/fetch-text.ts",
    find: ", ...replays(plan, link, unstamped)]",
    replace: "]",
    tests: [{ file: aside, name: "a replay carries the row of now" }],
  },
  {
    name: "notes-are-not-superseded",
    what: "a row that has arrived meanwhile is still said to be set aside",
    file: "src/replicate/settle-aside.ts",
    find: "ids.push(...rows.map(({ id }) => id));",
    replace: "void rows;",
    tests: [{ file: aside, name: "the next change of the row settles it" }],
  },
  {
    name: "refused-rows-lose-what-they-were",
    what: "what a refused row was on the target before is gone",
    file: "src/replicate/careful-apply.ts",
    find: '["rollback to savepoint bucardo_careful", ...texts]',
    replace: "texts",
    tests: [{ file: aside, name: "stays as it was" }],
  },
  {
    name: "overwrite-takes-rows-of-the-source",
    what: "a row that the source has is deleted on the target, and no change brings it back",
    file: "src/replicate/make-room.ts",
    find: "    if (await anyOnSource(source, refusal, victims)) throw bothOnSource(refusal, error);\n",
    replace: "",
    tests: [{ file: overwrite, name: "a row that the source has never gives way" }],
  },
];
