import { z } from "zod";
import { readSyncs } from "../../control/sync.ts";
import { keyText } from "../../replicate/data-fault.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { chooseRows } from "./choose.ts";

const row = z.object({
  sync: z.string(),
  id: z.number(),
  target: z.string(),
  table: z.string(),
  /** refused: waits to be replayed; overwritten: a row of the target that had to give way. */
  kind: z.enum(["refused", "overwritten"]),
  columns: z.array(z.string()),
  key: z.array(z.string()),
  /** Values as text; null: the row was gone, or too large to be kept. */
  image: z.record(z.string(), z.string().nullable()).nullable(),
  sqlstate: z.string(),
  message: z.string(),
  run: z.number(),
  noted: z.date(),
  /** The next run tries it again. */
  replay: z.boolean(),
});
type Row = z.output<typeof row>;

export const listSetAside = defineOperation({
  name: ["list", "set-aside"],
  summary: "Show rows that targets refused and rows that had to give way",
  description:
    "With on_error=set_aside a row that a target refuses is noted on the source, and all others go on. The next change of the row supersedes the note; " +
    "`replay` tries it again as it is now. With on_error=overwrite the rows of a target that had to give way are noted too. -v shows the rows themselves: " +
    "values of your data.",
  group: "data",
  effect: "reads",
  http: "token",
  control: "required",
  input: z.object({
    words: words({ about: "A sync, a target of it, numbers of rows; all syncs when none is given.", value: "SYNC [TARGET] [NUMBER]" }),
  }),
  output: z.object({ rows: z.array(row) }),
  examples: [
    { command: "bucardo list set-aside pepper", about: "Number, table, key and reason of each row." },
    { command: "bucardo list set-aside pepper 17 -v", about: "One, with its values." },
  ],
  async run({ words: typed }, context) {
    const names = typed.length > 0 ? [typed] : (await readSyncs(await context.control())).map(({ name }) => [name]);
    const rows: Row[] = [];
    for (const each of names) {
      const chosen = await chooseRows(context, each, false);
      rows.push(
        ...chosen.rows.map((found) => ({
          ...found,
          columns: [...found.columns],
          key: [...found.key],
          image: copyOf(found.image),
          sync: chosen.sync.name,
        })),
      );
    }
    return { rows };
  },
  print({ rows }, io) {
    if (rows.length === 0) io.out("No rows are set aside");
    for (const { id, sync, target, table, kind, columns, key, image, sqlstate, message, replay } of rows) {
      const what = kind === "refused" ? (replay ? "tried again with the next run" : "refused") : "had to give way";
      io.out(`${id}  ${sync} to ${target}: ${table} (${keyText(columns, key)}) ${what}: ${message} (SQLSTATE ${sqlstate})`);
      if (io.verbose > 0) for (const [name, value] of Object.entries(image ?? {})) io.out(`    ${name} = ${value ?? "NULL"}`);
    }
  },
});

function copyOf(image: Readonly<Record<string, string | null>> | null): Record<string, string | null> | null {
  return image === null ? null : { ...image };
}
