import { z } from "zod";
import { readDatabases } from "../../control/database.ts";
import { readDbgroups } from "../../control/dbgroup.ts";
import { readSyncs } from "../../control/sync.ts";
import { databaseTypes, type Database } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import { words } from "../input.ts";
import type { Io } from "../io.ts";
import { defineOperation } from "../operation.ts";
import { select } from "../pattern.ts";
import { allColumns, emptyText, printRows } from "./describe.ts";

const row = z.object({
  name: z.string(),
  dbname: z.string().nullable(),
  host: z.string().nullable(),
  port: z.number().nullable(),
  user: z.string().nullable(),
  /** Where the password is kept, never the password. */
  password: z.string().nullable(),
  service: z.string().nullable(),
  pgpass: z.string().nullable(),
  conn: z.string().nullable(),
  status: z.enum(["active", "inactive"]),
  type: z.enum(databaseTypes),
  /** Of files. */
  directory: z.string().nullable(),
  /** How many runs may use it at once. */
  sourcelimit: z.number().nullable(),
  targetlimit: z.number().nullable(),
  /** Keys of older versions that were given and mean nothing here. */
  legacy: z.record(z.string(), z.string()),
  groups: z.array(z.object({ dbgroup: z.string(), role: z.string() })),
  syncs: z.array(z.object({ sync: z.string(), role: z.string() })),
});
export type DatabaseRow = z.output<typeof row>;

export const listDatabases = defineOperation({
  name: ["list", "dbs"],
  summary: "Show the registered databases",
  description: "-v adds their groups and syncs, -vv every column. Passwords are never shown.",
  group: "databases",
  effect: "reads",
  control: "required",
  input: z.object({ names: words({ about: "Names or patterns; all when none is given.", value: "NAME" }) }),
  output: z.object({ databases: z.array(row), filtered: z.boolean() }),
  examples: [{ command: "bucardo list dbs 'old*' -v", about: "Those whose name begins so, with groups and syncs." }],
  run: async ({ names }, context) => ({ databases: await databaseRows(await context.control(), names), filtered: names.length > 0 }),
  print: (output, io) => printDatabases(output.databases, output.filtered, io),
});

export async function databaseRows(control: Session, names: readonly string[]): Promise<DatabaseRow[]> {
  const all = await readDatabases(control);
  const { chosen } = names.length === 0 ? { chosen: all } : select(all, names, (db) => db.name);
  const [groups, syncs] = [await readDbgroups(control), await readSyncs(control)];
  return chosen.map(({ sourceLimit, targetLimit, legacy, ...db }) => ({
    ...db,
    type: db.type ?? "postgres",
    directory: db.directory ?? null,
    password: passwordPlace(db),
    conn: db.conn?.replace(/password\s*=\s*('[^']*'|\S+)/gi, "password=...") ?? null,
    sourcelimit: sourceLimit ?? null,
    targetlimit: targetLimit ?? null,
    legacy: { ...legacy },
    groups: groups.flatMap((group) =>
      group.members.filter((member) => member.db === db.name).map(({ role }) => ({ dbgroup: group.name, role })),
    ),
    syncs: syncs.flatMap((sync) => sync.members.filter((member) => member.db === db.name).map(({ role }) => ({ sync: sync.name, role }))),
  }));
}

export function printDatabases(rows: readonly DatabaseRow[], filtered: boolean, io: Io): void {
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  printRows(io, rows, emptyText("databases", filtered), (db) => [
    `Database: ${db.name.padEnd(width)}  Status: ${db.status}  Conn: ${connectionText(db)}`,
    ...(io.verbose < 1
      ? []
      : [
          ...db.groups.map(({ dbgroup, role }) => `  Belongs to dbgroup "${dbgroup}" as ${role}`),
          ...db.syncs.map(({ sync, role }) => `  Used in sync "${sync}" as ${role}`),
        ]),
    ...(io.verbose < 2 ? [] : allColumns(db)),
  ]);
}

function passwordPlace({ password }: Pick<Database, "password">): string | null {
  return password === null || password.startsWith("env:") ? password : "sealed";
}

/** As one would call psql; words that come from elsewhere are left out. Of files where they are. */
function connectionText({ port, user, dbname, host, service, conn, type, directory }: DatabaseRow): string {
  if (type !== "postgres") return `${type} files in ${directory}`;
  const options = [
    port === null ? "" : `-p ${port}`,
    user === null ? "" : `-U ${user}`,
    dbname === null ? "" : `-d ${dbname}`,
    host === null ? "" : `-h ${host}`,
  ];
  const more = [service === null ? "" : `service=${service}`, conn ?? ""];
  return ["psql", ...options, ...more].filter((part) => part !== "").join(" ");
}
