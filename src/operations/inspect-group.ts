import { z } from "zod";
import { chooseKey } from "../catalog/key.ts";
import { readSequences, type SequenceShape } from "../catalog/sequence.ts";
import { readTables, type TableShape } from "../catalog/table.ts";
import { readDbgroup } from "../control/dbgroup.ts";
import { readRelgroup, readRelgroups } from "../control/relgroup.ts";
import { readSyncs } from "../control/sync.ts";
import { displayName } from "../model/name.ts";
import { key, text, words } from "./input.ts";
import { defineOperation } from "./operation.ts";
import { chooseRelations } from "./relation/choose.ts";

const output = z.object({ lines: z.array(z.string()) });

export const inspectSequence = defineOperation({
  name: ["inspect", "sequence"],
  summary: "Show sequences as they are on their database, and which syncs carry them",
  description: "",
  group: "data",
  effect: "reads",
  control: "required",
  input: z.object({
    names: words({ about: "Registered names, or patterns.", value: "SEQUENCE", min: 1 }),
    db: key(text.optional(), { about: "Only those of this database.", value: "DB" }),
  }),
  output,
  examples: [{ command: "bucardo inspect sequence ticket", about: "Value, step, bounds." }],
  async run({ names, db }, context) {
    const control = await context.control();
    const [groups, syncs] = [await readRelgroups(control), await readSyncs(control)];
    const lines: string[] = [];
    for (const row of await chooseRelations(control, names, "sequence", db)) {
      const found = (await readSequences(await context.connectTo(row.db), [row])).get(displayName(row));
      const own = groups.filter((group) => group.members.some((member) => member.id === row.id)).map(({ name }) => name);
      lines.push(
        found === undefined
          ? `Sequence ${displayName(row)} of ${row.db}: does not exist there`
          : `Sequence ${displayName(row)} of ${row.db}: ${describeSequence(found)}`,
        `  relgroups: ${own.join(", ") || "none"}; syncs: ${
          syncs
            .filter((sync) => own.includes(sync.relgroup))
            .map(({ name }) => name)
            .join(", ") || "none"
        }`,
      );
    }
    return { lines };
  },
  print: ({ lines }, io) => lines.forEach((line) => io.out(line)),
});

export const inspectRelgroup = defineOperation({
  name: ["inspect", "relgroup"],
  summary: "Show what a relgroup has, which syncs use it, and foreign keys that lead out of it",
  description: "",
  group: "data",
  effect: "reads",
  control: "required",
  input: z.object({ name: words({ about: "Its name.", value: "RELGROUP", min: 1, max: 1 }) }),
  output: output.extend({ warnings: z.array(z.string()) }),
  examples: [{ command: "bucardo inspect relgroup shop", about: "Before it is put into a sync." }],
  async run({ name: [name = ""] }, context) {
    const control = await context.control();
    const group = await readRelgroup(control, name);
    const users = (await readSyncs(control)).filter((sync) => sync.relgroup === group.name).map((sync) => sync.name);
    const db = group.members[0]?.db;
    const tables = group.members.filter(({ kind }) => kind === "table");
    const shapes =
      db === undefined ? new Map<string, TableShape>() : await readTables(await context.connectTo(db), tables, { bounds: false });
    const lines = [
      `Relgroup ${group.name}: ${group.members.length} relations of ${db ?? "no database"}; syncs: ${users.join(", ") || "none"}`,
    ];
    const warnings: string[] = [];
    for (const member of group.members) {
      const shape = shapes.get(displayName(member));
      if (member.kind === "sequence") lines.push(`  ${displayName(member)}  sequence`);
      else if (shape === undefined) warnings.push(`${displayName(member)} does not exist on database "${db ?? ""}"`);
      else {
        const chosen = chooseKey(shape, member.keyColumns);
        lines.push(
          `  ${displayName(member)}  key: ${chosen === null ? "none" : chosen.columns.join(", ")}${member.ghost ? "  ghost: not replicated" : ""}`,
        );
        const out = shape.foreignKeys.filter(({ to }) => !tables.some((table) => displayName(table) === displayName(to)));
        warnings.push(
          ...out.map(({ to }) => `${displayName(to)}, which ${displayName(member)} refers to, is not in relgroup "${group.name}"`),
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

export const inspectDbgroup = defineOperation({
  name: ["inspect", "dbgroup"],
  summary: "Show the databases of a dbgroup, whether they answer, and which syncs use it",
  description: "",
  group: "data",
  effect: "reads",
  control: "required",
  input: z.object({ name: words({ about: "Its name.", value: "DBGROUP", min: 1, max: 1 }) }),
  output,
  examples: [{ command: "bucardo inspect dbgroup shops", about: "Who is there." }],
  async run({ name: [name = ""] }, context) {
    const control = await context.control();
    const group = await readDbgroup(control, name);
    const users = (await readSyncs(control)).filter((sync) => sync.dbgroup === group.name).map((sync) => sync.name);
    const lines = [`Dbgroup ${group.name}: ${group.members.length} databases; syncs: ${users.join(", ") || "none"}`];
    for (const member of group.members) {
      const answer = await context.connectTo(member.db).then(
        (session) => `answers, PostgreSQL ${Math.floor(session.serverVersion / 10_000)}`,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      lines.push(`  ${member.db}  ${member.role}${member.priority === 0 ? "" : `  priority ${member.priority}`}: ${answer}`);
    }
    return { lines };
  },
  print: ({ lines }, io) => lines.forEach((line) => io.out(line)),
});

function describeSequence({ dataType, start, increment, min, max, cycle, ownedBy }: SequenceShape): string {
  return `${dataType}, start ${start}, step ${increment}, from ${min} to ${max}${cycle ? ", cycles" : ""}${ownedBy === null ? "" : `, of ${ownedBy}`}`;
}
