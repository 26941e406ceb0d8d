import { z } from "zod";
import { readTables } from "../../catalog/table.ts";
import { markReplayed, readConflicts, readLostRow, type ConflictRow } from "../../control/conflict.ts";
import { requestKick } from "../../control/kick.ts";
import { readSyncs } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import { sourcesOf, type SyncDefinition } from "../../model/sync.ts";
import { quoteIdent, quoteName } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import { sql } from "../../postgres/sql.ts";
import { keyText } from "../../replicate/data-fault.ts";
import { confirm } from "../change.ts";
import type { Context } from "../context.ts";
import { key, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";

type Side = "incoming" | "local";
type Plan = { readonly conflict: ConflictRow; readonly side: Side; readonly sync: SyncDefinition };

export const replayConflict = defineOperation({
  name: ["replay", "conflict"],
  synonyms: [["conflict", "replay"]],
  summary: "Write back the row that lost a conflict",
  description:
    "The row as the conflict log has it is written on the first source of the sync, as an application would; from there it reaches everybody. A deletion that " +
    "lost deletes. What happened to the row since then is overwritten.",
  group: "data",
  effect: "writes",
  control: "required",
  input: z.object({
    numbers: words({ about: "Numbers of conflicts.", value: "NUMBER", min: 1 }),
    db: key(text.optional(), { about: "Whose row is written: needed where nobody won.", value: "DB" }),
  }),
  output: z.object({ messages: z.array(z.string()), replayed: z.array(z.number()) }),
  examples: [{ command: "bucardo conflict replay 17", about: "The other one was right." }],
  async run({ numbers: typed, db }, context) {
    const plans = await choose(context, typed, db ?? null);
    const messages = plans.map(
      ({ conflict, side }) =>
        `Conflict ${conflict.number}: ${conflict.tableName} (${keyText(conflict.keyColumns, keyOf(conflict, side))}) as ${dbOf(conflict, side)} had it`,
    );
    if (context.flags.dryrun) return { messages, replayed: [] };
    if (context.flags.confirm) await confirm(context, messages);
    const control = await context.control();
    for (const { conflict, side, sync } of plans) {
      await writeBack(await context.connectTo(sourcesOf(sync)[0] ?? ""), control, conflict, side);
      await markReplayed(control, conflict.number);
    }
    for (const id of new Set(plans.map(({ sync }) => sync.id))) await requestKick(control, id);
    return { messages, replayed: plans.map(({ conflict }) => conflict.number) };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});

async function choose(context: Context, typed: readonly string[], db: string | null): Promise<Plan[]> {
  const control = await context.control();
  const given = typed.flatMap((word) => word.split(","));
  const strange = given.find((word) => !/^\d{1,15}$/.test(word));
  if (strange !== undefined) throw unknown(context, `"${strange}" is not the number of a conflict.`);
  const numbers = given.map(Number);
  const found = await readConflicts(control, {
    sync: null,
    numbers,
    table: null,
    winner: null,
    kind: null,
    newerThan: null,
    most: numbers.length,
  });
  const missing = numbers.filter((number) => !found.some((one) => one.number === number));
  if (missing.length > 0) throw unknown(context, `There is no conflict ${missing.join(", ")}.`);
  const syncs = await readSyncs(control);
  return found
    .toSorted((one, other) => one.number - other.number)
    .map((conflict) => {
      const sync = syncs.find(({ id }) => id === conflict.sync);
      if (sync === undefined) throw unknown(context, `Sync "${conflict.syncName}" of conflict ${conflict.number} is gone.`);
      return { conflict, side: sideOf(conflict, db), sync };
    });
}

function unknown(context: Context, what: string): BucardoError {
  return new BucardoError("unknown-object", what, { advice: `\`${context.program} list conflicts\` shows them. Nothing was changed.` });
}

function sideOf(conflict: ConflictRow, db: string | null): Side {
  const { winner, incomingDb, localDb, number } = conflict;
  if (db === null && winner !== "none") return winner === "incoming" ? "local" : "incoming";
  if (db === incomingDb) return "incoming";
  if (db === localDb) return "local";
  throw new BucardoError("usage", db === null ? `Nobody won conflict ${number}.` : `${db} has no part in conflict ${number}.`, {
    advice: `Say whose row is meant: db=${incomingDb} or db=${localDb}.`,
  });
}

function dbOf(conflict: ConflictRow, side: Side): string {
  return side === "incoming" ? conflict.incomingDb : conflict.localDb;
}

function keyOf(conflict: ConflictRow, side: Side): readonly string[] {
  return side === "incoming" ? conflict.key : conflict.localKey;
}

/** As an application: triggers fire, so the change is captured and travels. */
async function writeBack(source: Session, control: Session, conflict: ConflictRow, side: Side): Promise<void> {
  const dot = conflict.tableName.indexOf(".");
  const name = { schema: conflict.tableName.slice(0, dot), name: conflict.tableName.slice(dot + 1) };
  const table = (await readTables(source, [name])).get(displayName(name));
  if (table === undefined)
    throw new BucardoError("schema-mismatch", `${conflict.tableName} does not exist on ${source.name} any more`, {
      db: source.name,
      table: conflict.tableName,
    });
  const same = conflict.keyColumns.map((column) => `t.${quoteIdent(column)} = r.${quoteIdent(column)}`).join(" and ");
  const image = await readLostRow(control, conflict.number, side);
  if (image === null) {
    const lost = Object.fromEntries(conflict.keyColumns.map((column, index) => [column, keyOf(conflict, side)[index]]));
    const deletion = `delete from ${quoteName(name)} t using json_populate_record(null::${quoteName(name)}, $1::json) r where ${same}`;
    await source.execute(sql("conflict.delete-again", deletion, [JSON.stringify(lost)]));
    return;
  }
  const kept = new Set(Object.keys(JSON.parse(image) as object));
  const columns = table.columns
    .filter(({ generated, name: column }) => generated === "" && kept.has(column))
    .map(({ name: column }) => column);
  const names = columns.map(quoteIdent);
  const set = columns
    .filter((column) => !conflict.keyColumns.includes(column))
    .map((column) => `${quoteIdent(column)} = excluded.${quoteIdent(column)}`);
  await source.execute(
    sql(
      "conflict.write-back",
      `insert into ${quoteName(name)} (${names.join(", ")}) overriding system value
       select ${names.map((column) => `r.${column}`).join(", ")} from json_populate_record(null::${quoteName(name)}, $1::json) r
       on conflict (${conflict.keyColumns.map(quoteIdent).join(", ")}) do ${set.length === 0 ? "nothing" : `update set ${set.join(", ")}`}`,
      [image],
    ),
  );
}
