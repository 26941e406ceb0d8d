import { z } from "zod";
import { chooseKey } from "../../catalog/key.ts";
import { readTables } from "../../catalog/table.ts";
import { readDatabases } from "../../control/database.ts";
import { readRelations, type RelationRow } from "../../control/relation.ts";
import { readRelgroups } from "../../control/relgroup.ts";
import { readSyncs } from "../../control/sync.ts";
import { displayName } from "../../model/name.ts";
import type { RelationKind } from "../../model/sync.ts";
import { connect } from "../../postgres/connect.ts";
import { connectOptionsOf } from "../connect-options.ts";
import type { Context } from "../context.ts";
import { key, text, words } from "../input.ts";
import type { Io } from "../io.ts";
import { defineOperation } from "../operation.ts";
import { matcherOf } from "../pattern.ts";
import { allColumns, emptyText, printRows } from "./describe.ts";

const row = z.object({
  number: z.number(),
  relation: z.string(),
  kind: z.enum(["table", "sequence"]),
  db: z.string(),
  /** As it is on the database now: columns with types; null when there is none, or it could not be asked. */
  key: z.array(z.object({ column: z.string(), type: z.string() })).nullable(),
  /** False: the database did not answer. */
  asked: z.boolean(),
  relgroups: z.array(z.string()),
  syncs: z.array(z.string()),
  autokick: z.boolean().nullable(),
  strict_checking: z.boolean().nullable(),
  conflict_strategy: z.string().nullable(),
  /** Null: that of the sync. */
  analyze_after_copy: z.boolean().nullable(),
  vacuum_after_copy: z.boolean().nullable(),
  rebuild_index: z.boolean().nullable(),
  /** Its syncs know it and do not replicate it. */
  ghost: z.boolean(),
  pkey: z.array(z.string()).nullable(),
  legacy: z.record(z.string(), z.string()),
});
export type ListedRelation = z.output<typeof row>;

function listOf(kind: RelationKind) {
  return defineOperation({
    name: ["list", `${kind}s`],
    summary: `Show the registered ${kind}s`,
    description: kind === "table" ? "The key is what the database says now. -vv shows every column." : "-vv shows every column.",
    group: "relations",
    effect: "reads",
    control: "required",
    input: z.object({
      names: words({ about: "Names or patterns; all when none is given.", value: "NAME" }),
      db: key(text.optional(), { about: "Only those of this database.", value: "DB" }),
    }),
    output: z.object({ relations: z.array(row), filtered: z.boolean() }),
    examples: [{ command: `bucardo list ${kind}s 'public.*' db=A`, about: "Of one schema and one database." }],
    run: async ({ names, db }, context) => ({
      relations: await relationRows(context, kind, names, db),
      filtered: names.length > 0 || db !== undefined,
    }),
    print: ({ relations, filtered }, io) => printRelations(relations, kind, filtered, io),
  });
}

export const listTables = listOf("table");
export const listSequences = listOf("sequence");

export async function relationRows(context: Context, kind: RelationKind, names: readonly string[], db?: string): Promise<ListedRelation[]> {
  const control = await context.control();
  const tests = names.map(matcherOf);
  const chosen = (await readRelations(control)).filter(
    (relation) =>
      relation.kind === kind &&
      (db === undefined || relation.db === db) &&
      (tests.length === 0 || tests.some((test) => test(relation.name) || test(displayName(relation)))),
  );
  const [groups, syncs] = [await readRelgroups(control), await readSyncs(control)];
  const keys = kind === "table" ? await readKeys(context, chosen) : new Map<string, ListedRelation["key"]>();
  return chosen.map((relation) => ({
    number: relation.id,
    relation: displayName(relation),
    kind,
    db: relation.db,
    key: keys.get(placeOf(relation)) ?? null,
    asked: kind === "sequence" || keys.has(placeOf(relation)),
    relgroups: groups.filter((group) => group.members.some((member) => member.id === relation.id)).map(({ name }) => name),
    syncs: syncs.filter((sync) => [...sync.relations, ...sync.ghosts].some((each) => each.id === relation.id)).map(({ name }) => name),
    autokick: relation.autokick,
    strict_checking: relation.strictChecking,
    conflict_strategy: relation.conflictStrategy,
    analyze_after_copy: relation.copying?.analyze ?? null,
    vacuum_after_copy: relation.copying?.vacuum ?? null,
    rebuild_index: relation.copying?.rebuildIndex ?? null,
    ghost: relation.ghost,
    pkey: relation.keyColumns === null ? null : [...relation.keyColumns],
    legacy: relation.legacy,
  }));
}

/** A list must not hang on a dead host: two seconds, then the key is unknown. */
const ASK_MS = 2000;

async function readKeys(context: Context, relations: readonly RelationRow[]): Promise<Map<string, ListedRelation["key"]>> {
  const keys = new Map<string, ListedRelation["key"]>();
  const wanted = (await readDatabases(await context.control())).filter((database) =>
    relations.some((relation) => relation.db === database.name),
  );
  await Promise.all(
    wanted.map(async (database) => {
      try {
        await using session = await connect({
          ...connectOptionsOf(database, context),
          applicationName: context.program,
          signal: context.signal,
          connectTimeoutMs: ASK_MS,
        });
        const own = relations.filter((relation) => relation.db === database.name);
        const shapes = await readTables(session, own, { bounds: false });
        for (const relation of own) {
          const shape = shapes.get(displayName(relation));
          const chosen = shape === undefined ? null : chooseKey(shape, relation.keyColumns);
          keys.set(
            placeOf(relation),
            chosen?.columns.map((column) => ({ column, type: shape?.columns.find(({ name }) => name === column)?.type ?? "" })) ?? null,
          );
        }
      } catch (error) {
        context.io.err(`The keys of database "${database.name}" are not known now: ${(error as Error).message}`);
      }
    }),
  );
  return keys;
}

function placeOf(relation: RelationRow): string {
  return `${relation.db}/${displayName(relation)}`;
}

export function printRelations(rows: readonly ListedRelation[], kind: RelationKind, filtered: boolean, io: Io): void {
  const width = Math.max(0, ...rows.map(({ relation }) => relation.length));
  const digits = String(Math.max(0, ...rows.map(({ number }) => number))).length;
  printRows(io, rows, emptyText(`${kind}s`, filtered), (each) => [
    [
      `${String(each.number).padStart(digits)}. ${kind === "table" ? "Table" : "Sequence"}: ${each.relation.padEnd(width)}`,
      `DB: ${each.db}`,
      ...(kind === "table" ? [`PK: ${keyText(each)}`] : []),
      ...(each.syncs.length === 0 ? [] : [`Syncs: ${each.syncs.join(",")}`]),
      ...(each.autokick === null ? [] : [`autokick:${each.autokick}`]),
      ...(each.strict_checking === false ? ["strict_checking:false"] : []),
      ...(["analyze_after_copy", "vacuum_after_copy", "rebuild_index"] as const).flatMap((name) =>
        each[name] === null ? [] : [`${name}:${each[name]}`],
      ),
      ...(each.ghost ? ["ghost:true"] : []),
      ...Object.entries(each.legacy).map(([name, value]) => `(${name}:${value})`),
    ].join("  "),
    ...(io.verbose < 2 ? [] : allColumns(each)),
  ]);
}

function keyText({ key: columns, asked }: ListedRelation): string {
  if (!asked) return "unknown";
  return columns === null ? "none" : columns.map(({ column, type }) => `${column} (${type})`).join(", ");
}
