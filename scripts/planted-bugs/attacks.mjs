const source = "test/attack/source.pg.test.ts";
const engine = "test/attack/engine.pg.test.ts";
const more = "test/attack/more.pg.test.ts";
const operations = "test/attack/operations.pg.test.ts";

/** What an attacker on the data tried, and found. */
export const attacks = [
  {
    name: "trigger-name-unquoted",
    what: "the name that a table's owner gave our trigger is run as SQL",
    file: "src/capture/trigger.ts",
    find: "drop trigger ${quoteIdent(trigger)} on",
    replace: "drop trigger ${trigger} on",
    tests: [{ file: source, name: "by renaming our trigger" }],
  },
  {
    name: "purge-ends-at-a-dropped-table",
    what: "one dropped table ends the purge of all others",
    file: "src/capture/purge.ts",
    find: '["lock-timeout", "serialization", "schema-mismatch"]',
    replace: '["lock-timeout", "serialization"]',
    tests: [{ file: source, name: "does not end the purge" }],
  },
  {
    name: "names-exchanged",
    what: "a table that took another's name is taken for it",
    file: "src/replicate/plan.ts",
    find: "if (before.name !== now.name)",
    replace: "if (before.name.length < 0)",
    tests: [{ file: source, name: "exchange their names" }],
  },
  {
    name: "columns-exchanged",
    what: "a column that took the name of a dropped one is taken for it",
    file: "src/replicate/plan.ts",
    find: "(marks.get(name)?.number ?? number) !== number",
    replace: "(marks.get(name)?.number ?? number) < 0",
    tests: [{ file: more, name: "dropped and added again" }],
  },
  {
    name: "part-for-a-while",
    what: "nobody notices that a table was a partition between two runs",
    file: "src/replicate/plan.ts",
    find: "if (now.marks.length > 0 && now.marks.every(",
    replace: "if (now.marks.length < 0 && now.marks.every(",
    tests: [{ file: more, name: "a part of another for a while" }],
  },
  {
    name: "detach-pending-is-attached",
    what: "a partition that is being detached counts as a part",
    file: "src/capture/shape.ts",
    find: 'i.inhparent = m.oid and not ${detachPending(source, "i")}',
    replace: "i.inhparent = m.oid",
    tests: [{ file: engine, name: "DETACH CONCURRENTLY" }],
  },
  {
    name: "overtaken-run-writes",
    what: "a run whose checkpoint moved writes all the same",
    file: "src/replicate/settle.ts",
    find: "  if (standing === 0) throw movedMeanwhile(source, definition);",
    replace: "  if (standing < 0) throw movedMeanwhile(source, definition);",
    tests: [{ file: engine, name: "was overtaken" }],
  },
  {
    name: "promised-not-owed",
    what: "what a source lost of a sync begins anew, without the copy that it owes",
    file: "src/capture/capture-table.ts",
    find: "select $1, t, $2, $4 or t = any ($5::text[]) from",
    replace: "select $1, t, $2, $4 or t = any ($5::text[]) and false from",
    tests: [{ file: operations, name: "was given up|was interrupted" }],
  },
  {
    name: "anybodys-schema",
    what: "a schema that somebody else made is used",
    file: "src/capture/schema.ts",
    find: "  if (!schema || !table) throw squatted(source);",
    replace: "",
    tests: [{ file: operations, name: "somebody else prepared" }],
  },
  {
    name: "uninstall-takes-all",
    what: "uninstall drops what another control database captures in this one",
    file: "src/control/installation.ts",
    find: 'captured ? OBJECTS : "drop',
    replace: 'captured === null ? OBJECTS : "drop',
    tests: [{ file: operations, name: "leaves what others capture" }],
  },
  {
    name: "nobody-is-done",
    what: "a kick that no target owes is done, though its sync is gone",
    file: "src/operations/daemon/kick-wait.ts",
    find: "if (targets.length === 0)",
    replace: "if (targets.length < 0)",
    tests: [{ file: operations, name: "is not reported as done" }],
  },
];
