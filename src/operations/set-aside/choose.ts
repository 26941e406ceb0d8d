import { z } from "zod";
import { readSync, type SyncRow } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import { sourcesOf, targetsOf } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import { readSetAside, type SetAsideChoice, type SetAsideRow } from "../../replicate/set-aside.ts";
import type { Context } from "../context.ts";
import { words } from "../input.ts";

/** What `replay` and `discard` take. */
export const chosenRows = z.object({
  words: words({
    about: "The sync, a target if only that one is meant, and numbers of rows or all.",
    value: "SYNC [TARGET] NUMBER|all",
    min: 2,
  }),
});

export type Chosen = {
  readonly sync: SyncRow;
  readonly source: Session;
  readonly choice: SetAsideChoice;
  readonly rows: readonly SetAsideRow[];
};

/** `SYNC [TARGET] [NUMBER ...|all]`: the rows that are meant. `some`: numbers or `all` must be given. Errors: unknown-object, usage. */
export async function chooseRows(context: Context, typed: readonly string[], some: boolean): Promise<Chosen> {
  const [name = "", ...rest] = typed;
  const sync = await readSync(await context.control(), name);
  const target = rest.find((word) => targetsOf(sync).includes(word)) ?? null;
  const picked = rest.filter((word) => word !== target).flatMap((word) => word.split(","));
  const strange = picked.find((word) => !/^\d{1,15}$/.test(word) && word.toLowerCase() !== "all");
  if (strange !== undefined)
    throw new BucardoError("unknown-object", `"${strange}" is neither a target of sync "${name}" nor the number of a row.`, {
      sync: name,
      advice: `Its targets: ${targetsOf(sync).join(", ")}. \`${context.program} list set-aside ${name}\` shows the rows with their numbers.`,
    });
  if (some && picked.length === 0)
    throw new BucardoError("usage", "Name the rows by their numbers, or all.", {
      advice: `\`${context.program} list set-aside ${name}\` shows them.`,
    });
  const ids = picked.length === 0 || picked.some((word) => word.toLowerCase() === "all") ? null : picked.map(Number);
  const source = await context.connectTo(sourcesOf(sync)[0] ?? "");
  const choice = { sync: sync.id, target, ids };
  const rows = await readSetAside(source, choice);
  const missing = (ids ?? []).filter((id) => !rows.some((row) => row.id === id));
  if (missing.length > 0)
    throw new BucardoError("unknown-object", `Sync "${name}" has no row ${missing.join(", ")} set aside.`, {
      sync: name,
      advice: `\`${context.program} list set-aside ${name}\` shows them. Nothing was changed.`,
    });
  return { sync, source, choice, rows };
}

/** `1 row`, `3 rows` */
export function countText(count: number): string {
  return `${count} row${count === 1 ? "" : "s"}`;
}
