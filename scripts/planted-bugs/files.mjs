const files = "test/cli/files.pg.test.ts";
const sink = "src/files/file-sink.test.ts";

/** Targets that are no servers. */
export const toFiles = [
  {
    name: "sink-place-not-checked",
    what: "a directory that is another one, or not mounted, is written to as if nothing was lost",
    file: "src/replicate/run-to-sink.ts",
    find: "  checkPlace(output.place, batch.checkpoint, definition);\n",
    replace: "",
    tests: [{ file: files, name: "a directory that is another one stops the target" }],
  },
  {
    name: "sink-keys-not-deleted",
    what: "rows that are gone stay with whoever loads the files",
    file: "src/replicate/run-to-sink.ts",
    find: "output.deleteKeys(there), () => undefined)).rows;",
    replace: "{ take: async () => {}, end: async () => {} }, () => undefined)).rows;",
    tests: [{ file: files, name: "files of both types" }],
  },
  {
    name: "unnamed-file-counts",
    what: "after a death before a file got its name its number is missing, and its sequences with it",
    file: "src/files/file-sink.ts",
    find: "left.includes(record.temporary)",
    replace: 'left.includes("")',
    tests: [{ file: sink, name: "begun again under the same number" }],
  },
  {
    name: "unfinished-files-stay",
    what: "a run that was overtaken gives its old rows a name after all",
    file: "src/files/file-sink.ts",
    find: "  for (const name of left) await rm(join(own, name), { force: true });\n",
    replace: "",
    tests: [{ file: sink, name: "whoever began before cannot finish any more" }],
  },
];
