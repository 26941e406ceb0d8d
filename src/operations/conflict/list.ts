import { z } from "zod";
import { readConflicts } from "../../control/conflict.ts";
import { BucardoError } from "../../model/error.ts";
import { keyText } from "../../replicate/data-fault.ts";
import { integer, key, text, words } from "../input.ts";
import { interval } from "../interval.ts";
import { defineOperation } from "../operation.ts";

const image = z.record(z.string(), z.string().nullable()).nullable();
const row = z.object({
  number: z.number(),
  sync: z.string(),
  table: z.string(),
  /** row: changed on both; unique: two rows with one unique value; foreign_key: deleted here, referred to there. */
  kind: z.enum(["row", "unique", "foreign_key"]),
  columns: z.array(z.string()),
  key: z.array(z.string()),
  /** Of the row that it met. */
  otherKey: z.array(z.string()),
  /** Where it was decided. */
  db: z.string(),
  /** The two databases where the changes were made; null as winner: neither. */
  incoming: z.object({ db: z.string(), at: z.date().nullable(), image }),
  local: z.object({ db: z.string(), at: z.date().nullable(), image }),
  winner: z.string().nullable(),
  why: z.string(),
  decided: z.date(),
  replayed: z.date().nullable(),
});
type Row = z.output<typeof row>;

export const listConflicts = defineOperation({
  name: ["list", "conflict"],
  synonyms: [["list", "conflicts"]],
  summary: "Show conflicts between sources and how they were decided",
  description:
    "A row that was changed on two sources before they heard of each other, two rows with one unique value, a row that was deleted while another one came to " +
    "refer to it. The newest first. -v shows both rows: values of your data.",
  group: "data",
  effect: "reads",
  http: "token",
  control: "required",
  input: z.object({
    words: words({ about: "A sync, numbers of conflicts; all when none is given.", value: "SYNC [NUMBER]" }),
    table: key(text.optional(), { about: "Only of this table.", value: "NAME" }),
    winner: key(text.optional(), { about: "Only those that this database won, or none.", value: "DB|none" }),
    kind: key(z.enum(["row", "unique", "foreign_key"]).optional(), { about: "Only of this kind.", value: "row|unique|foreign_key" }),
    since: key(interval.optional(), { about: "Only those of so long ago at most.", value: "PERIOD" }),
    limit: key(integer(1, 100_000).optional(), { about: "So many at most (default 100).", value: "N" }),
  }),
  output: z.object({ conflicts: z.array(row) }),
  examples: [
    { command: "bucardo list conflicts shop", about: "What was decided lately, and why." },
    { command: "bucardo list conflicts shop table=orders winner=A since='1 day' -v", about: "Filtered, with both rows." },
  ],
  async run({ words: typed, table, winner, kind, since, limit }, context) {
    const numbers = typed.filter((word) => /^\d{1,15}$/.test(word)).map(Number);
    const [sync, ...more] = typed.filter((word) => !/^\d{1,15}$/.test(word));
    if (more.length > 0) throw new BucardoError("usage", "Name one sync.", { advice: "" });
    const found = await readConflicts(await context.control(), {
      sync: sync ?? null,
      numbers: numbers.length === 0 ? null : numbers,
      table: table ?? null,
      winner: winner ?? null,
      kind: kind ?? null,
      newerThan: since ?? null,
      most: limit ?? 100,
    });
    return {
      conflicts: found.map((one): Row => ({
        number: one.number,
        sync: one.syncName,
        table: one.tableName,
        kind: one.kind,
        columns: [...one.keyColumns],
        key: [...one.key],
        otherKey: [...one.localKey],
        db: one.member,
        incoming: { db: one.incomingDb, at: one.incomingAt, image: one.incomingImage },
        local: { db: one.localDb, at: one.localAt, image: one.localImage },
        winner: one.winner === "none" ? null : one.winner === "incoming" ? one.incomingDb : one.localDb,
        why: one.why,
        decided: one.decidedAt,
        replayed: one.replayedAt,
      })),
    };
  },
  print({ conflicts }, io) {
    if (conflicts.length === 0) io.out("No conflicts");
    for (const one of conflicts) {
      const met = one.kind === "unique" ? ` met (${keyText(one.columns, one.otherKey)})` : "";
      const who = one.winner === null ? "nobody won" : `${one.winner} won`;
      const replayed = one.replayed === null ? "" : ", replayed";
      io.out(
        `${one.number}  ${one.decided.toISOString()}  ${one.sync}: ${one.table} (${keyText(one.columns, one.key)})${met}, ${WORDS[one.kind]} on ` +
          `${one.incoming.db} and ${one.local.db}: ${who}, ${one.why}${replayed}`,
      );
      if (io.verbose < 1) continue;
      for (const side of [one.incoming, one.local]) {
        io.out(
          `    ${side.db}, ${side.at === null ? "at an unknown time" : `at ${side.at.toISOString()}`}${side.image === null ? ": deleted" : ""}`,
        );
        for (const [name, value] of Object.entries(side.image ?? {})) io.out(`      ${name} = ${value ?? "NULL"}`);
      }
    }
  },
});

const WORDS = { row: "changed", unique: "one unique value", foreign_key: "deleted and referred to" } as const;
