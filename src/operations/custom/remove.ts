import { z } from "zod";
import { deleteCustom } from "../../control/custom.ts";
import { displayName } from "../../model/name.ts";
import type { CustomKind } from "../../model/sync.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { applySyncChange } from "../sync/apply.ts";
import { KINDS, placeText, valueText } from "./kind.ts";
import { chooseCustoms } from "./rows.ts";

function removeOf(kind: CustomKind) {
  const of = KINDS[kind];
  return defineOperation({
    name: ["remove", of.noun],
    summary: `Remove a ${of.noun}`,
    description: `By its number in \`bucardo list ${of.plural}\`. The next run copies the table again, as it is then.`,
    group: "relations",
    effect: "writes",
    control: "required",
    input: z.object({ numbers: words({ about: "Numbers.", value: "NUMBER", min: 1 }) }),
    output: z.object({ messages: z.array(z.string()) }),
    examples: [{ command: `bucardo remove ${of.noun} 1`, about: "The first one." }],
    async run({ numbers }, context) {
      const rows = await chooseCustoms(await context.control(), kind, numbers);
      const { messages } = await applySyncChange(context, {
        work: async (session) => {
          for (const { id } of rows) await deleteCustom(session, id);
          return {
            messages: rows.map(
              (row) =>
                `Removed ${of.noun} ${row.id}: ${displayName(row.table)} "${valueText(row)}"${placeText({ db: row.db, sync: row.syncName })}`,
            ),
          };
        },
      });
      return { messages: [...messages] };
    },
    print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
  });
}

export const removeCustomname = removeOf("name");
export const removeCustomcols = removeOf("columns");
export const removeRowfilter = removeOf("filter");
