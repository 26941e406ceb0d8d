import { z } from "zod";
import type { ComparedTable } from "../../migrate/compared-table.ts";
import { count, counted, size } from "./measure.ts";

/** A table of a move, as it goes out as JSON. */
export const comparedOutput = z.object({
  table: z.string(),
  /** follow: by its key; image: by what its rows hold; window: copied whole while writers wait. */
  handling: z.enum(["follow", "image", "window"]),
  key: z.array(z.string()).nullable(),
  /** On the old side's disk when the move began. */
  bytes: z.number(),
  copied: z.number().nullable(),
  /** What the comparison found on the old side, and the new one held too: rows, the sum of their hashes, and how many of them were on the way. */
  compared: z.object({ rows: z.number(), hash: z.string(), onTheWay: z.number(), at: z.date() }).nullable(),
});

export type ComparedOutput = z.output<typeof comparedOutput>;

export function comparedOf(tables: readonly ComparedTable[]): ComparedOutput[] {
  return tables.map((table) => ({ ...table, key: table.key === null ? null : [...table.key] }));
}

/** `12 tables were compared: 1,234 rows.`, and a line for each of the largest `most`. Pure. */
export function comparedLines(tables: readonly ComparedOutput[], most: number): string[] {
  const all = tables.filter(({ compared }) => compared !== null);
  if (all.length === 0) return ["No table was compared yet."];
  const rows = all.reduce((sum, { compared }) => sum + (compared?.rows ?? 0), 0);
  const shown = tables.slice(0, most);
  const width = Math.max(...shown.map(({ table }) => table.length));
  return [
    `${counted(all.length, "table")} ${all.length === 1 ? "was" : "were"} compared and equal: ${counted(rows, "row")}.`,
    ...shown.map(({ table, compared, handling, bytes }) => {
      const found =
        compared === null
          ? handling === "window"
            ? "copied at the cutover"
            : "not compared"
          : `${counted(compared.rows, "row")}, hash ${compared.hash}${compared.onTheWay === 0 ? "" : ` (${count(compared.onTheWay)} on the way)`}`;
      return `  ${table.padEnd(width)}  ${size(bytes).padStart(8)}  ${found}`;
    }),
    ...(tables.length > most ? [`  and ${counted(tables.length - most, "more", "more")}; all with --json`] : []),
  ];
}
