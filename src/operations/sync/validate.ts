import { z } from "zod";
import { readDatabases } from "../../control/database.ts";
import { askAgain } from "../../control/request.ts";
import { deleteRemainder, readRemainders } from "../../control/remainder.ts";
import { readSyncs, type SyncRow } from "../../control/sync.ts";
import { BucardoError, type Problem } from "../../model/error.ts";
import { sourcesOf, type Database } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import type { Context } from "../context.ts";
import { selectSyncs } from "../daemon/select-syncs.ts";
import { connectionProblem } from "../db/draft.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { problemText } from "../problem-text.ts";
import { release } from "./capture.ts";
import { checkSync, hasErrors } from "./check.ts";
import { withDefinitionLock } from "./definition-lock.ts";
import { repairCapture } from "./repair.ts";

const problem = z.custom<Problem>();
const result = z.object({ sync: z.string(), ok: z.boolean(), problems: z.array(problem), done: z.array(z.string()) });
type Result = z.output<typeof result>;

export const validate = defineOperation({
  name: ["validate"],
  summary: "Check syncs thoroughly, and mend their capture",
  description:
    "Connects to every database, compares the tables of source and targets, checks what we installed and installs what is missing. " +
    "Lists all problems, not the first one. With `all`, capture that a forced removal had to leave behind is cleared too.",
  group: "syncs",
  effect: "reads",
  control: "required",
  noise: ["sync", "syncs"],
  input: z.object({ syncs: words({ about: "Names, patterns, or all.", value: "SYNC", min: 1 }) }),
  output: z.object({ syncs: z.array(result), cleared: z.array(z.string()) }),
  examples: [{ command: "bucardo validate all", about: "Exit code 0 only when every sync is in order." }],
  exitCodes: { 0: "every sync is in order", 1: "the exit code is the number of syncs that are not (at most 125)" },
  async run({ syncs: names }, context) {
    const control = await context.control();
    // What it mends must not be removed by another command meanwhile.
    return await withDefinitionLock(context, control, () => validateChosen(context, control, names));
  },
  print({ syncs, cleared }, io) {
    if (syncs.length === 0) io.out("No syncs have been added yet");
    for (const { sync, ok, problems, done } of syncs) {
      io.out(`Validating sync ${sync} ... ${ok ? "OK" : "FAILED"}`);
      for (const each of problems) io.out(`  ${problemText(each)}`);
      for (const each of done) io.out(`  ${each}`);
    }
    for (const each of cleared) io.out(each);
  },
  exit: ({ syncs }) => Math.min(125, syncs.filter(({ ok }) => !ok).length),
});

async function validateChosen(
  context: Context,
  control: Session,
  names: readonly string[],
): Promise<{ syncs: Result[]; cleared: string[] }> {
  const chosen = await selectSyncs(control, names);
  const databases = await readDatabases(control);
  const syncs: Result[] = [];
  for (const sync of chosen) syncs.push(await validateOne(context, sync, databases));
  const cleared = names.some((name) => name.toLowerCase() === "all") ? await clearRemainders(context) : [];
  return { syncs, cleared };
}

async function validateOne(context: Context, sync: SyncRow, databases: readonly Database[]): Promise<Result> {
  const check = await checkSync(context, sync, databases);
  const problems = [...check.problems];
  let done: string[] = [];
  if (!hasErrors(problems) && !context.flags.dryrun) {
    try {
      done = await repairCapture(context, sync, check);
      await askAgain(await context.control(), sync.id);
    } catch (error) {
      if (!(error instanceof BucardoError)) throw error;
      problems.push({
        grade: "error",
        ...(error.details.db && { db: error.details.db }),
        ...(error.details.table && { table: error.details.table }),
        what: error.message,
        remedy: error.advice,
      });
    }
  }
  return { sync: sync.name, ok: !hasErrors(problems), problems, done };
}

/** Capture of removed syncs on databases that did not answer then. */
async function clearRemainders(context: Context): Promise<string[]> {
  const control = await context.control();
  const cleared: string[] = [];
  const living = await readSyncs(control);
  for (const remainder of await readRemainders(control)) {
    const { db, sync, syncName } = remainder;
    // The database has become a source of the sync again: it is no remainder any more.
    if (living.some((each) => each.id === sync && sourcesOf(each).includes(db))) {
      await deleteRemainder(control, remainder);
      continue;
    }
    try {
      if (context.flags.dryrun) continue;
      await release(context, db, sync);
      await deleteRemainder(control, remainder);
      cleared.push(`Removed what sync "${syncName}" had left on database "${db}"`);
    } catch (error) {
      cleared.push(`Sync "${syncName}" is still on database "${db}": ${connectionProblem(db, error).what}`);
    }
  }
  return cleared;
}
