const pieces = "test/verify/pieces.pg.test.ts";
const keyless = "test/migrate/keyless.pg.test.ts";
const definitions = "test/migrate/definitions.pg.test.ts";
const install = "test/hazards/install.pg.test.ts";

/** What shows, before a cutover and in it, that both sides are equal. */
export const proving = [
  {
    name: "proof-last-piece",
    what: "keys above the last bound of a large table are not compared",
    file: "src/verify/cut-table.ts",
    find: "const ends = [null, ...bounds, null];",
    replace: "const ends = [null, ...bounds];",
    tests: [{ file: pieces, name: "found in whatever piece it is" }],
  },
  {
    name: "proof-differences-followed-away",
    what: "what differs in a piece is taken for a row on its way, without a second look",
    file: "src/verify/proof-worker.ts",
    find: "    if (left.length === 0) continue;",
    replace: "    if (left.length >= 0) continue;",
    tests: [{ file: pieces, name: "found in whatever piece it is" }],
  },
  {
    name: "proof-pieces-of-before",
    what: "a truncated table keeps the pieces that were shown before",
    file: "src/verify/looker.ts",
    find: "if (again.length > 0) await beginAgain",
    replace: "if (again.length < 0) await beginAgain",
    tests: [{ file: pieces, name: "a truncated table begins again" }],
  },
  {
    name: "keyless-twice",
    what: "after a crash rows without key that arrived are sent once more",
    file: "src/migrate/follow-keyless.ts",
    find: "[table.intent, table.intentPrint]",
    replace: "[table.snapshot, table.print]",
    tests: [{ file: keyless, name: "nothing is added twice" }],
  },
  {
    name: "fence-of-the-root-only",
    what: "partitions of a table without key take writes while it is fenced",
    file: "src/capture/fence.ts",
    find: "treeOf(found!.rows)?.parts ?? []",
    replace: "treeOf(found!.rows)?.parts.slice(0, 1) ?? []",
    tests: [{ file: keyless, name: "a database of tables without key only" }],
  },
  {
    name: "definitions-unread",
    what: "a table that is made, or a trigger that is disabled, in the window goes unnoticed",
    file: "src/migrate/window.ts",
    find: "=== prepared.definitions) return;",
    replace: "!== null) return;",
    tests: [{ file: definitions, name: "undoes the cutover" }],
  },
  {
    name: "one-database-by-its-numbers",
    what: "a server that was made of the source's files is taken for the source",
    file: "src/replicate/one-database.ts",
    find: "(await numbersOf(other))) return false;",
    replace: "(await numbersOf(other))) return false;\n  if (known.has(one)) return true;",
    tests: [{ file: "test/replicate/one-database.pg.test.ts", name: "made of the files of another one" }],
  },
  {
    name: "tree-locked-at-once",
    what: "capture holds the locks of all partitions while it waits for one",
    file: "src/capture/capture-table.ts",
    find: "if (tree.parts.length > 1 && !changed) return missing;",
    replace: "if (tree.parts.length > 1000 && !changed) return missing;",
    tests: [{ file: install, name: "nobody else's is locked" }],
  },
];
