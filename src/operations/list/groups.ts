import { z } from "zod";
import { readDbgroups } from "../../control/dbgroup.ts";
import { readRelgroups } from "../../control/relgroup.ts";
import { readSyncs } from "../../control/sync.ts";
import { displayName } from "../../model/name.ts";
import type { Session } from "../../postgres/session.ts";
import { words } from "../input.ts";
import type { Io } from "../io.ts";
import { defineOperation } from "../operation.ts";
import { select } from "../pattern.ts";
import { allColumns, emptyText, printRows } from "./describe.ts";

const dbgroupRow = z.object({
  name: z.string(),
  members: z.array(z.object({ db: z.string(), role: z.string(), priority: z.number() })),
  syncs: z.array(z.string()),
});
const relgroupRow = z.object({
  name: z.string(),
  db: z.string().nullable(),
  members: z.array(z.object({ relation: z.string(), kind: z.string(), priority: z.number() })),
  syncs: z.array(z.string()),
});
export type DbgroupRow = z.output<typeof dbgroupRow>;
export type RelgroupRow = z.output<typeof relgroupRow>;

const names = words({ about: "Names or patterns; all when none is given.", value: "NAME" });

export const listDbgroups = defineOperation({
  name: ["list", "dbgroups"],
  summary: "Show the groups of databases",
  description: "-v adds the syncs that use them, -vv every column.",
  group: "databases",
  effect: "reads",
  control: "required",
  input: z.object({ names }),
  output: z.object({ dbgroups: z.array(dbgroupRow), filtered: z.boolean() }),
  examples: [{ command: "bucardo list dbgroups", about: "All of them, with roles." }],
  run: async (input, context) => ({ dbgroups: await dbgroupRows(await context.control(), input.names), filtered: input.names.length > 0 }),
  print: ({ dbgroups, filtered }, io) => printDbgroups(dbgroups, filtered, io),
});

export const listRelgroups = defineOperation({
  name: ["list", "relgroups"],
  summary: "Show the groups of tables and sequences",
  description: "-vv shows every column.",
  group: "relations",
  effect: "reads",
  control: "required",
  input: z.object({ names }),
  output: z.object({ relgroups: z.array(relgroupRow), filtered: z.boolean() }),
  examples: [{ command: "bucardo list herds", about: "The old word works too." }],
  run: async (input, context) => ({
    relgroups: await relgroupRows(await context.control(), input.names),
    filtered: input.names.length > 0,
  }),
  print: ({ relgroups, filtered }, io) => printRelgroups(relgroups, filtered, io),
});

export async function dbgroupRows(control: Session, wanted: readonly string[]): Promise<DbgroupRow[]> {
  const groups = choose(await readDbgroups(control), wanted);
  const syncs = await readSyncs(control);
  return groups.map(({ name, members }) => ({
    name,
    members: [...members],
    syncs: syncs.filter((sync) => sync.dbgroup === name).map((sync) => sync.name),
  }));
}

export async function relgroupRows(control: Session, wanted: readonly string[]): Promise<RelgroupRow[]> {
  const groups = choose(await readRelgroups(control), wanted);
  const syncs = await readSyncs(control);
  return groups.map(({ name, members }) => ({
    name,
    db: members[0]?.db ?? null,
    members: members.map((member) => ({ relation: displayName(member), kind: member.kind, priority: member.priority })),
    syncs: syncs.filter((sync) => sync.relgroup === name).map((sync) => sync.name),
  }));
}

export function printDbgroups(rows: readonly DbgroupRow[], filtered: boolean, io: Io): void {
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  printRows(io, rows, emptyText("dbgroups", filtered), (group) => [
    `dbgroup: ${group.name.padEnd(width)}  Members: ${group.members.map(memberText).join(" ")}`.trimEnd(),
    ...(io.verbose < 1 || group.syncs.length === 0 ? [] : [`  Used in syncs: ${group.syncs.join(", ")}`]),
    ...(io.verbose < 2 ? [] : allColumns(group)),
  ]);
}

export function printRelgroups(rows: readonly RelgroupRow[], filtered: boolean, io: Io): void {
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  printRows(io, rows, emptyText("relgroups", filtered), (group) => [
    `Relgroup: ${group.name.padEnd(width)}  DB: ${group.db ?? "-"}  Members: ${group.members.map(({ relation }) => relation).join(", ")}`.trimEnd(),
    ...(group.syncs.length === 0 ? [] : [`  Used in syncs: ${group.syncs.join(", ")}`]),
    ...(io.verbose < 2 ? [] : allColumns(group)),
  ]);
}

/** `A:source`, `B:target:pri=2` */
export function memberText({ db, role, priority }: { readonly db: string; readonly role: string; readonly priority: number }): string {
  return `${db}:${role}${priority === 0 ? "" : `:pri=${priority}`}`;
}

function choose<T extends { readonly name: string }>(items: readonly T[], wanted: readonly string[]): readonly T[] {
  return wanted.length === 0 ? items : select(items, wanted, (item) => item.name).chosen;
}
