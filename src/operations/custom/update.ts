import { z } from "zod";
import { putCustom } from "../../control/custom.ts";
import { BucardoError } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import type { CustomKind } from "../../model/sync.ts";
import { key, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { applySyncChange } from "../sync/apply.ts";
import { checkValue } from "./check-value.ts";
import { KINDS, placeText, readValue, valueText } from "./kind.ts";
import { chooseCustoms } from "./rows.ts";

function updateOf(kind: CustomKind) {
  const of = KINDS[kind];
  return defineOperation({
    name: ["update", of.noun],
    summary: `Change a ${of.noun}`,
    description: `By its number in \`bucardo list ${of.plural}\`. The next run copies the table again under its new terms.`,
    group: "relations",
    effect: "writes",
    control: "required",
    otherPairs: "word",
    input: z.object({
      words: words({ about: `Its number, then: ${of.valueAbout}`, value: `NUMBER ${of.value}`, min: 1, max: 2 }),
      value: key(text.optional(), {
        about: "The same as the second word.",
        aliases: { name: ["newname"], columns: ["clause", "select"], filter: ["where", "condition"] }[kind],
        value: of.value.replaceAll('"', ""),
      }),
    }),
    output: z.object({ messages: z.array(z.string()) }),
    examples: [
      { command: of.example.replace(/^bucardo add (\S+) \S+/, "bucardo update $1 1").replace(/ db=B$/, ""), about: "The first one." },
    ],
    async run({ words: [number = "", typed], value = typed }, context) {
      if (value === undefined) throw new BucardoError("usage", `\`update ${of.noun}\` needs ${of.value}.`, { advice: "" });
      const [row] = await chooseCustoms(await context.control(), kind, [number]);
      const read = readValue(kind, value, row!.table);
      await checkValue(context, row!.table, { kind, ...read });
      const { messages } = await applySyncChange(context, {
        work: async (session) => {
          const { relation, db, sync } = row!;
          await putCustom(session, { relation, kind, ...read, db, sync });
          const place = placeText({ db, sync: row!.syncName });
          return {
            messages: [`Changed ${of.noun} of ${displayName(row!.table)} from "${valueText(row!)}" to "${valueText(read)}"${place}`],
          };
        },
      });
      return { messages: [...messages] };
    },
    print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
  });
}

export const updateCustomname = updateOf("name");
export const updateCustomcols = updateOf("columns");
export const updateRowfilter = updateOf("filter");
