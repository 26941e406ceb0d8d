import { z } from "zod";
import { capturedTables, inspectCapture } from "../capture/inspect.ts";
import { carriedSyncs } from "../capture/of-installation.ts";
import { readTables } from "../catalog/table.ts";
import { readDatabase } from "../control/database.ts";
import { readRelgroups } from "../control/relgroup.ts";
import { readSync } from "../control/sync.ts";
import { displayName } from "../model/name.ts";
import { filesOf, sourcesOf } from "../model/sync.ts";
import type { Context } from "./context.ts";
import { key, text, words } from "./input.ts";
import { defineOperation } from "./operation.ts";
import { chooseRelations } from "./relation/choose.ts";

const output = z.object({ lines: z.array(z.string()) });

export const inspectDb = defineOperation({
  name: ["inspect", "db"],
  summary: "Show everything that Bucardo has installed on a database",
  description: "",
  group: "data",
  effect: "reads",
  control: "required",
  input: z.object({ name: words({ about: "Its name.", value: "NAME", min: 1, max: 1 }) }),
  output: output.extend({ objects: z.array(z.object({ kind: z.string(), name: z.string(), on: z.string().nullable() })) }),
  examples: [{ command: "bucardo inspect db oldalpha", about: "Triggers, functions, tables." }],
  async run({ name: [name = ""] }, context) {
    const database = await readDatabase(await context.control(), name);
    const files = filesOf(database);
    if (files !== null)
      return { lines: [`Changes for "${name}" are written as files (${files.type}) into ${files.directory}`], objects: [] };
    const session = await context.connectTo(database);
    const objects = (await inspectCapture(session)).map((object) => ({ ...object }));
    // The role belongs to the whole server: alone it may be there for another database.
    const nothing = objects.every(({ kind }) => kind === "role");
    const lines = objects.map(({ kind, name: object, on }) => `${kind} ${object}${on === null ? "" : ` on ${on}`}`);
    return { lines: nothing ? [`Nothing of ours is on database "${name}"`] : lines, objects: nothing ? [] : objects };
  },
  print: ({ lines }, io) => lines.forEach((line) => io.out(line)),
});

export const inspectSync = defineOperation({
  name: ["inspect", "sync"],
  summary: "Show what a sync captures on its source",
  description: "",
  group: "data",
  effect: "reads",
  control: "required",
  input: z.object({ name: words({ about: "Its name.", value: "SYNC", min: 1, max: 1 }) }),
  output,
  examples: [{ command: "bucardo inspect sync pepper", about: "Tables, keys, size of what is captured." }],
  async run({ name: [name = ""] }, context) {
    const sync = await readSync(await context.control(), name);
    const lines: string[] = [];
    for (const source of sourcesOf(sync)) lines.push(...(await linesOfSource(context, source, sync)));
    return { lines };
  },
  print: ({ lines }, io) => lines.forEach((line) => io.out(line)),
});

async function linesOfSource(context: Context, source: string, sync: { readonly id: string; readonly name: string }): Promise<string[]> {
  const session = await context.connectTo(source);
  const carried = (await carriedSyncs(session)).find((each) => each.sync === sync.id);
  if (carried === undefined) return [`Source ${source}: nothing is captured; \`${context.program} validate ${sync.name}\` installs it`];
  const tables = (await capturedTables(session)).filter((table) => table.syncs.includes(sync.name));
  return [
    `Source ${source}: checkpoints for ${carried.targets.join(", ")}`,
    ...tables.map(
      (table) =>
        `  ${table.table}  key: ${table.key.join(", ")}  by ${table.variant}  wakes the daemon: ${table.notify ? "yes" : "no"}  deltas: ${Math.ceil(table.bytes / 1024)} kB on disk`,
    ),
  ];
}

export const inspectTable = defineOperation({
  name: ["inspect", "table"],
  summary: "Show the foreign keys of tables, and partners that are not replicated together",
  description: "A table whose foreign-key partner is not in the same relgroup may meet rows on the target that the partner does not have.",
  group: "data",
  effect: "reads",
  control: "required",
  input: z.object({
    names: words({ about: "Registered names, or patterns.", value: "TABLE", min: 1 }),
    db: key(text.optional(), { about: "Only those of this database.", value: "DB" }),
  }),
  output: output.extend({ warnings: z.array(z.string()) }),
  examples: [{ command: "bucardo inspect table shop.orders", about: "Whom it refers to." }],
  async run({ names, db }, context) {
    const control = await context.control();
    const groups = await readRelgroups(control);
    const [lines, warnings]: [string[], string[]] = [[], []];
    for (const row of await chooseRelations(control, names, "table", db)) {
      const shape = (await readTables(await context.connectTo(row.db), [row], { bounds: false })).get(displayName(row));
      if (shape === undefined) {
        warnings.push(`${displayName(row)} does not exist on database "${row.db}"`);
        continue;
      }
      lines.push(
        `Table ${displayName(row)} of ${row.db}: ${shape.foreignKeys.length === 0 ? "no foreign keys" : `${shape.foreignKeys.length} foreign keys`}`,
      );
      for (const { name, to } of shape.foreignKeys) {
        lines.push(`  ${name} refers to ${displayName(to)}`);
        const own = groups.filter((group) => group.members.some((member) => member.id === row.id));
        const apart = own.filter((group) => !group.members.some((member) => displayName(member) === displayName(to)));
        warnings.push(
          ...apart.map((group) => `${displayName(to)}, which ${displayName(row)} refers to, is not in relgroup "${group.name}"`),
        );
      }
    }
    return { lines, warnings };
  },
  print({ lines, warnings }, io) {
    for (const line of lines) io.out(line);
    for (const warning of warnings) io.out(`Warning: ${warning}`);
  },
});
