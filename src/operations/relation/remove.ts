import { z } from "zod";
import { deleteRelation, readRelations, type RelationRow } from "../../control/relation.ts";
import { BucardoError } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import type { RelationKind } from "../../model/sync.ts";
import type { Context } from "../context.ts";
import { key, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { applySyncChange } from "../sync/apply.ts";
import { chooseRelations } from "./choose.ts";

const output = z.object({ messages: z.array(z.string()), removed: z.array(z.string()) });
const db = key(text.optional(), { about: "Only those of this database.", value: "DB" });

async function removeRows(context: Context, rows: readonly RelationRow[], kind: RelationKind): Promise<z.output<typeof output>> {
  const { messages } = await applySyncChange(context, {
    work: async (control) => {
      for (const { id } of rows) await deleteRelation(control, id);
      return { messages: rows.length === 0 ? [`No ${kind}s to remove`] : rows.map((row) => `Removed ${kind} "${displayName(row)}"`) };
    },
  });
  return { messages: [...messages], removed: rows.map(displayName) };
}

function removeOf(kind: RelationKind) {
  return defineOperation({
    name: ["remove", kind],
    summary: `Forget ${kind}s`,
    description:
      "They leave their relgroups, so syncs do not replicate them any more, and what was installed for them goes from the source.",
    group: "relations",
    effect: "writes",
    control: "required",
    input: z.object({ names: words({ about: "Registered names, or patterns.", value: "NAME", min: 1 }), db }),
    output,
    examples: [{ command: `bucardo remove ${kind} public.audit`, about: `The ${kind} itself is not touched.` }],
    run: async ({ names, db: wanted }, context) =>
      removeRows(context, await chooseRelations(await context.control(), names, kind, wanted), kind),
    print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
  });
}

function removeAllOf(kind: RelationKind) {
  return defineOperation({
    name: ["remove", "all", `${kind}s`],
    synonyms: [["remove", `${kind}s`, "all"]],
    summary: `Forget all ${kind}s`,
    description: "Asks first, unless --batch or --force is given.",
    group: "relations",
    effect: "writes",
    control: "required",
    input: z.object({ db }),
    output,
    examples: [{ command: `bucardo remove all ${kind}s db=A --batch`, about: "Those of one database." }],
    async run({ db: wanted }, context) {
      const rows = (await readRelations(await context.control())).filter(
        (row) => row.kind === kind && (wanted === undefined || row.db === wanted),
      );
      if (rows.length > 0 && !context.flags.batch && !context.flags.force && !context.flags.dryrun) {
        const answer = await context.io.ask(`Remove ${rows.length} ${kind}s? Y/N `);
        if (!/^\s*y/i.test(answer ?? "")) throw new BucardoError("declined", "Nothing was changed.", { advice: "--batch asks nothing." });
      }
      return await removeRows(context, rows, kind);
    },
    print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
  });
}

export const removeTable = removeOf("table");
export const removeSequence = removeOf("sequence");
export const removeAllTables = removeAllOf("table");
export const removeAllSequences = removeAllOf("sequence");
