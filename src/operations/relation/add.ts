import { z } from "zod";
import { findRelations, type Candidate } from "../../catalog/find.ts";
import { updateRelation } from "../../control/relation.ts";
import { BucardoError } from "../../model/error.ts";
import type { RelationKind } from "../../model/sync.ts";
import type { Context } from "../context.ts";
import { key, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { applySyncChange } from "../sync/apply.ts";
import { chooseDatabase } from "./choose-db.ts";
import { joinRelgroup, section } from "./join.ts";
import { policiesOf, relationKeys, withPolicies } from "./keys.ts";
import { register } from "./register.ts";

/** `add table` and `add sequence` differ in one word. */
function addOf(kind: RelationKind) {
  return defineOperation({
    name: ["add", kind],
    summary: `Register ${kind}s, and put them into a relgroup`,
    description:
      "A pattern is NAME or SCHEMA.NAME, with * or % anywhere; a name without schema is looked for in every schema. The database is asked, so the " +
      `${kind} must exist. In a relgroup that a sync uses, it is captured and replicated at once.`,
    group: "relations",
    effect: "writes",
    control: "required",
    input: z.object({
      patterns: words({ about: `Names of ${kind}s, or patterns.`, value: "PATTERN", min: 1 }),
      db: key(text.optional(), { about: "Its database; needed when there are several that may be meant.", value: "DB" }),
      relgroup: key(text.optional(), {
        about: "Put them into this relgroup, which is made when missing.",
        aliases: ["herd"],
        value: "NAME",
      }),
      ...relationKeys,
    }),
    output: z.object({ messages: z.array(z.string()), relations: z.array(z.string()) }),
    examples: [
      { command: `bucardo add ${kind} 'shop.*' db=A relgroup=orders`, about: `All ${kind}s of schema shop.` },
      ...(kind === "table" ? [{ command: "bucardo add table accounts db=A pkey=aid", about: "With its key chosen by hand." }] : []),
    ],
    async run(input, context) {
      const database = await chooseDatabase(await context.control(), input.db);
      const found = await findAll(context, database.name, input.patterns, kind);
      const policies = policiesOf(input);
      const { messages } = await applySyncChange(context, {
        work: async (control) => {
          const { added, all } = await register(
            control,
            found.map(({ schema, name }) => ({ db: database.name, schema, name, kind, ...policies })),
          );
          const known = all.filter((row) => !added.some(({ id }) => id === row.id));
          for (const row of known) await updateRelation(control, withPolicies(row, policies));
          const lines = section("Added the following tables or sequences:", added);
          if (input.relgroup !== undefined) lines.push(...(await joinRelgroup(control, input.relgroup, all)));
          return { messages: lines.length > 0 ? lines : section("Already registered:", known) };
        },
      });
      return { messages: [...messages], relations: found.map(({ schema, name }) => `${schema}.${name}`) };
    },
    print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
  });
}

export const addTable = addOf("table");
export const addSequence = addOf("sequence");

/** What the patterns mean in the live database; every pattern must mean something. */
export async function findAll(
  context: Context,
  db: string,
  patterns: readonly string[],
  kind?: RelationKind,
): Promise<readonly Candidate[]> {
  const terms = patterns.flatMap((word) => word.split(",")).filter((word) => word !== "");
  const all = terms.filter((word) => word.toLowerCase() === "all");
  const session = await context.connectTo(db);
  const named = await findRelations(
    session,
    terms.filter((word) => !all.includes(word)),
    kind === undefined ? {} : { kind },
  );
  const everything = all.length === 0 ? [] : (await findRelations(session, ["*"], { kind: kind ?? "table", pkonly: true })).found;
  if (named.unmatched.length > 0) {
    const missing = named.unmatched.map(({ pattern, nearest }) => `${pattern}${nearest === null ? "" : ` (did you mean ${nearest}?)`}`);
    throw new BucardoError("unknown-object", `Did not find matches for the following terms: ${missing.join(", ")}.`, {
      db,
      advice: `They were looked for in database "${db}". Nothing was changed.`,
    });
  }
  return [
    ...named.found,
    ...everything.filter((candidate) => !named.found.some((other) => other.schema === candidate.schema && other.name === candidate.name)),
  ];
}
