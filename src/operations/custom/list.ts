import { z } from "zod";
import { displayName } from "../../model/name.ts";
import type { CustomKind } from "../../model/sync.ts";
import { key, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { matcherOf } from "../pattern.ts";
import { KINDS, placeText, valueText } from "./kind.ts";
import { readCustomRows } from "./rows.ts";

const row = z.object({ id: z.number(), table: z.string(), value: z.string(), db: z.string().nullable(), sync: z.string().nullable() });

const LABEL = { name: "New name", columns: "Columns", filter: "Rows" } as const;

function listOf(kind: CustomKind) {
  const of = KINDS[kind];
  return defineOperation({
    name: ["list", of.plural],
    summary: `Show the ${of.plural}`,
    description: "With the numbers by which update and remove know them.",
    group: "relations",
    effect: "reads",
    control: "required",
    input: z.object({
      names: words({ about: "Tables, or patterns; all when none is given.", value: "TABLE" }),
      db: key(text.optional(), { about: "Only those of this database.", value: "DB" }),
      sync: key(text.optional(), { about: "Only those of this sync.", value: "SYNC" }),
    }),
    output: z.object({ rows: z.array(row) }),
    examples: [{ command: `bucardo list ${of.plural}`, about: "All of them." }],
    async run({ names, db, sync }, context) {
      const tests = (names.length > 0 ? names : ["*"]).map(matcherOf);
      const rows = (await readCustomRows(await context.control(), kind))
        .filter(({ table }) => tests.some((test) => test(table.name) || test(displayName(table))))
        .filter((each) => (db === undefined || each.db === db) && (sync === undefined || each.syncName === sync));
      return {
        rows: rows.map((each) => ({
          id: each.id,
          table: displayName(each.table),
          value: valueText(each),
          db: each.db,
          sync: each.syncName,
        })),
      };
    },
    print({ rows }, io) {
      if (rows.length === 0) io.out(`No ${of.plural} have been added yet`);
      for (const { id, table, value, db, sync } of rows)
        io.out(`${id}. Table: ${table}  ${LABEL[kind]}: ${value}${placeText({ db, sync })}`);
    },
  });
}

export const listCustomnames = listOf("name");
export const listCustomcols = listOf("columns");
export const listRowfilters = listOf("filter");
