import { z } from "zod";
import { deleteDatabase, readDatabases } from "../../control/database.ts";
import { readDbgroups } from "../../control/dbgroup.ts";
import { readRelations } from "../../control/relation.ts";
import { readRemainders } from "../../control/remainder.ts";
import { readSyncs, type SyncRow } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import { targetsOf } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import { chooseOrFail } from "../choose.ts";
import type { Context } from "../context.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { applySyncChange } from "../sync/apply.ts";

export const removeDb = defineOperation({
  name: ["remove", "db"],
  summary: "Forget databases",
  description:
    "Not while tables or groups refer to one; with --force these go too. A sync keeps its source and its last target in any case: remove the sync first, " +
    "so that nothing of it stays on the source.",
  group: "databases",
  effect: "writes",
  control: "required",
  input: z.object({ names: words({ about: "Names, patterns, or all.", value: "NAME", min: 1 }) }),
  output: z.object({ messages: z.array(z.string()), removed: z.array(z.string()) }),
  examples: [{ command: "bucardo remove db A --force", about: "With its registered tables and its places in groups." }],
  async run({ names }, context) {
    const control = await context.control();
    const chosen = chooseOrFail(await readDatabases(control), names, "db").map(({ name }) => name);
    refuseSyncs(context, await readSyncs(control), chosen);
    await refuseReferences(context, control, chosen);
    const { messages } = await applySyncChange(context, {
      work: async (session) => {
        for (const name of chosen) await deleteDatabase(session, name);
        return { messages: chosen.map((name) => `Removed database "${name}"`) };
      },
    });
    return { messages: [...messages], removed: chosen };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});

/** Without its source or any target a sync is nothing, and what it has on the source would be forgotten. */
function refuseSyncs(context: Context, syncs: readonly SyncRow[], names: readonly string[]): void {
  const isNeeded = (sync: SyncRow): boolean => {
    const goes = (db: string): boolean => names.includes(db);
    return (
      sync.members.some(({ db, role }) => role === "source" && goes(db)) ||
      (sync.members.some(({ db }) => goes(db)) && targetsOf(sync).every(goes))
    );
  };
  const users = syncs.filter(isNeeded).map(({ name }) => name);
  if (users.length === 0) return;
  throw new BucardoError(
    "in-use",
    `Cannot remove ${names.map((name) => `"${name}"`).join(", ")}: needed by ${users.length === 1 ? "sync" : "syncs"} ${users.join(", ")}.`,
    {
      advice: `\`${context.program} remove sync ${users.join(" ")}\` first. Nothing was changed.`,
    },
  );
}

async function refuseReferences(context: Context, control: Session, names: readonly string[]): Promise<void> {
  if (context.flags.force) return;
  const relations = (await readRelations(control)).filter((relation) => names.includes(relation.db)).length;
  const groups = (await readDbgroups(control))
    .filter((group) => group.members.some((member) => names.includes(member.db)))
    .map(({ name }) => name);
  const remainders = (await readRemainders(control)).filter((remainder) => names.includes(remainder.db)).map(({ syncName }) => syncName);
  const reasons = [
    relations > 0 ? `${relations} registered ${relations === 1 ? "table or sequence" : "tables and sequences"}` : null,
    groups.length > 0 ? `dbgroup ${groups.join(", ")}` : null,
    remainders.length > 0
      ? `what removed syncs have left on it (${remainders.join(", ")}; \`${context.program} validate all\` clears it)`
      : null,
  ].filter((reason) => reason !== null);
  if (reasons.length === 0) return;
  throw new BucardoError("in-use", `Cannot remove ${names.map((name) => `"${name}"`).join(", ")}: there is ${reasons.join(", and ")}.`, {
    advice: "Remove that first, or pass --force to remove it too. Nothing was changed.",
  });
}
