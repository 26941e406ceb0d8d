import { z } from "zod";
import { putCustom, type NewCustom } from "../../control/custom.ts";
import { readDatabases } from "../../control/database.ts";
import { readRelations, type RelationRow } from "../../control/relation.ts";
import { readSyncs } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import type { CustomKind } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import { chooseOrFail } from "../choose.ts";
import { key, list, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { applySyncChange } from "../sync/apply.ts";
import { checkValue } from "./check-value.ts";
import { KINDS, placeText, readValue, valueText } from "./kind.ts";

function addOf(kind: CustomKind) {
  const of = KINDS[kind];
  return defineOperation({
    name: ["add", of.noun],
    summary: of.about,
    description: of.description,
    group: "relations",
    effect: "writes",
    control: "required",
    // A condition may look like key=value.
    otherPairs: "word",
    input: z.object({
      words: words({ about: `A registered table, then: ${of.valueAbout}`, value: `TABLE ${of.value}`, min: 1, max: 2 }),
      value: key(text.optional(), {
        about: `The same as the second word. ${of.valueAbout}`,
        aliases: { name: ["newname"], columns: ["clause", "select"], filter: ["where", "condition"] }[kind],
        value: of.value.replaceAll('"', ""),
      }),
      db: key(list.optional(), { about: "Only on these databases.", aliases: ["dbs", "database"], value: "DB,...", list: true }),
      sync: key(list.optional(), { about: "Only in these syncs.", aliases: ["syncs"], value: "SYNC,...", list: true }),
    }),
    output: z.object({ messages: z.array(z.string()), ids: z.array(z.number()) }),
    examples: [{ command: of.example, about: of.exampleAbout }],
    async run({ words: [table = "", typed], value = typed, db, sync }, context) {
      if (value === undefined)
        throw new BucardoError("usage", `\`add ${of.noun}\` needs ${of.value}.`, {
          advice: `See \`${context.program} help add ${of.noun}\`.`,
        });
      const control = await context.control();
      const relations = await findRelations(control, table);
      const places = await readPlaces(control, db ?? [], sync ?? []);
      const read = readValue(kind, value, relations[0]!);
      for (const relation of relations) await checkValue(context, relation, { kind, ...read });
      const { messages, ids } = await applySyncChange(context, {
        work: async (session) => {
          const added: number[] = [];
          const lines: string[] = [];
          for (const relation of relations) {
            for (const place of places) {
              const custom: NewCustom = { relation: relation.id, kind, ...read, db: place.db, sync: place.sync?.id ?? null };
              added.push(await putCustom(session, custom));
              lines.push(
                `${sentence(kind, displayName(relation), valueText(read))}${placeText({ db: place.db, sync: place.sync?.name ?? null })}`,
              );
            }
          }
          return { messages: lines, ids: added };
        },
      });
      return { messages: [...messages], ids: [...ids] };
    },
    print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
  });
}

export const addCustomname = addOf("name");
export const addCustomcols = addOf("columns");
export const addRowfilter = addOf("filter");

function sentence(kind: CustomKind, table: string, value: string): string {
  if (kind === "name") return `Transformed ${table} to ${value}`;
  return kind === "columns" ? `New columns for ${table}: "${value}"` : `New row filter for ${table}: "${value}"`;
}

/** The registered relation of the name; of several databases' when they call it the same. @throws BucardoError unknown-object, usage */
async function findRelations(control: Session, word: string): Promise<RelationRow[]> {
  const known = await readRelations(control);
  const exact = known.filter((relation) => displayName(relation) === word);
  const found = exact.length > 0 ? exact : known.filter((relation) => relation.name === word);
  const names = [...new Set(found.map(displayName))];
  if (names.length === 0)
    throw new BucardoError("unknown-object", `No table is registered as "${word}".`, {
      advice: "`bucardo list tables` shows them; `bucardo add table NAME db=DB` registers one. Nothing was changed.",
    });
  if (names.length > 1)
    throw new BucardoError("usage", `"${word}" may mean ${names.join(", ")}.`, { advice: "Write SCHEMA.NAME. Nothing was changed." });
  return found;
}

type Place = { readonly db: string | null; readonly sync: { readonly id: string; readonly name: string } | null };

async function readPlaces(control: Session, dbs: readonly string[], syncs: readonly string[]): Promise<Place[]> {
  const databases = dbs.length === 0 ? [null] : chooseOrFail(await readDatabases(control), dbs, "db").map(({ name }) => name);
  const chosen = syncs.length === 0 ? [null] : chooseOrFail(await readSyncs(control), syncs, "sync");
  return databases.flatMap((db) => chosen.map((sync) => ({ db, sync })));
}
