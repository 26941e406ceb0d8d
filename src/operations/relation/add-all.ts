import { z } from "zod";
import { findRelations } from "../../catalog/find.ts";
import type { RelationKind } from "../../model/sync.ts";
import { bool, key, list, text } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { applySyncChange } from "../sync/apply.ts";
import { chooseDatabase } from "./choose-db.ts";
import { joinRelgroup } from "./join.ts";
import { policiesOf, relationKeys } from "./keys.ts";
import { register } from "./register.ts";

function addAllOf(kind: RelationKind) {
  const plural = `${kind}s`;
  return defineOperation({
    name: ["add", "all", plural],
    synonyms: [["add", plural, "all"]],
    summary: `Register every ${kind} of a database`,
    description: "Nothing of the system's and of our own schema. Names of filters may have * or % in them.",
    group: "relations",
    effect: "writes",
    control: "required",
    input: z.object({
      db: key(text.optional(), { about: "The database; needed when there are several that may be meant.", value: "DB" }),
      relgroup: key(text.optional(), {
        about: "Put them into this relgroup, which is made when missing.",
        aliases: ["herd"],
        value: "NAME",
      }),
      schema: key(list.optional(), { about: "Only these schemas.", short: "n", value: "NAME,...", list: true }),
      exclude_schema: key(list.optional(), { about: "Not these schemas.", short: "N", value: "NAME,...", list: true }),
      table: key(list.optional(), {
        about: "Only these names.",
        short: "t",
        aliases: ["tables", "sequence", "sequences"],
        value: "NAME,...",
        list: true,
      }),
      exclude_table: key(list.optional(), {
        about: "Not these names.",
        short: "T",
        aliases: ["exclude_sequence"],
        value: "NAME,...",
        list: true,
      }),
      pkonly: key(bool.optional(), { about: "Only tables that have a key.", flag: true }),
      ...relationKeys,
    }),
    output: z.object({ messages: z.array(z.string()), relations: z.array(z.string()) }),
    examples: [{ command: `bucardo add all ${plural} db=A relgroup=everything -N 'audit*'`, about: "All but those of some schemas." }],
    async run(input, context) {
      const database = await chooseDatabase(await context.control(), input.db);
      const filters = {
        kind,
        schemas: input.schema ?? [],
        excludeSchemas: input.exclude_schema ?? [],
        tables: input.table ?? [],
        excludeTables: input.exclude_table ?? [],
        pkonly: input.pkonly ?? false,
      };
      const { found } = await findRelations(await context.connectTo(database), ["*"], filters);
      const policies = policiesOf(input);
      const { messages } = await applySyncChange(context, {
        work: async (control) => {
          const { added, all } = await register(
            control,
            found.map(({ schema, name }) => ({ db: database.name, schema, name, kind, ...policies })),
          );
          const joined = input.relgroup === undefined ? [] : await joinRelgroup(control, input.relgroup, all);
          const created = joined.some((line) => line.startsWith("Created")) ? [`Creating relgroup: ${input.relgroup}`] : [];
          const known = all.length - added.length;
          return { messages: [...created, `New ${plural} added: ${added.length}`, ...(known > 0 ? [`Already added: ${known}`] : [])] };
        },
      });
      return { messages: [...messages], relations: found.map(({ schema, name }) => `${schema}.${name}`) };
    },
    print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
  });
}

export const addAllTables = addAllOf("table");
export const addAllSequences = addAllOf("sequence");
