import { z } from "zod";
import { readCustomCodes } from "../../control/customcode.ts";
import { WHENRUN } from "../../model/customcode.ts";
import type { Session } from "../../postgres/session.ts";
import { words } from "../input.ts";
import type { Io } from "../io.ts";
import { allColumns, emptyText, printRows } from "../list/describe.ts";
import { defineOperation } from "../operation.ts";
import { select } from "../pattern.ts";

const row = z.object({
  name: z.string(),
  whenrun: z.enum(WHENRUN),
  language: z.enum(["js", "ts", "sql"]),
  status: z.enum(["active", "inactive"]),
  priority: z.number(),
  getdbh: z.boolean(),
  db: z.string().nullable(),
  about: z.string().nullable(),
  file: z.string().nullable(),
  checksum: z.string(),
  syncs: z.array(z.string()),
  tables: z.array(z.string()),
  source: z.string(),
});
export type ListedCode = z.output<typeof row>;

export const listCustomCodes = defineOperation({
  name: ["list", "customcodes"],
  summary: "Show custom code",
  description: "-v shows what it is attached to, -vv every column, -vvv its text. The checksum is the sha256 of the file that was given.",
  group: "syncs",
  effect: "reads",
  http: "token",
  control: "required",
  input: z.object({ names: words({ about: "Names or patterns; all when none is given.", value: "NAME" }) }),
  output: z.object({ customcodes: z.array(row), filtered: z.boolean() }),
  examples: [{ command: "bucardo list customcode emails -vvv", about: "One, with its text." }],
  run: async ({ names }, context) => ({ customcodes: await codeRows(await context.control(), names), filtered: names.length > 0 }),
  print: ({ customcodes, filtered }, io) => printCodes(customcodes, filtered, io),
});

export async function codeRows(control: Session, names: readonly string[]): Promise<ListedCode[]> {
  const codes = await readCustomCodes(control);
  const chosen = names.length === 0 ? codes : select(codes, names, ({ name }) => name).chosen;
  return chosen.map(({ name, whenrun, language, status, priority, getdbh, db, about, file, checksum, uses, source }) => ({
    name,
    whenrun,
    language,
    status,
    priority,
    getdbh,
    db,
    about,
    file,
    checksum,
    syncs: uses.flatMap(({ syncName, active }) => (syncName === null ? [] : [active ? syncName : `${syncName} (not used)`])),
    tables: uses.flatMap(({ table, active }) => (table === null ? [] : [active ? table : `${table} (not used)`])),
    source,
  }));
}

export function printCodes(codes: readonly ListedCode[], filtered: boolean, io: Io): void {
  printRows(io, codes, emptyText("customcodes", filtered), ({ source, ...code }) => [
    `Code: ${code.name}  When run: ${code.whenrun}  Language: ${code.language}  Get dbh: ${code.getdbh ? "on" : "off"}  Priority: ${code.priority}  Status: ${code.status}`,
    ...(io.verbose < 1 ? [] : [`  Syncs: ${code.syncs.join(", ") || "none"}  Tables: ${code.tables.join(", ") || "none"}`]),
    ...(io.verbose < 2 ? [] : allColumns(code)),
    ...(io.verbose < 3 ? [] : source.trimEnd().split("\n")),
  ]);
}
