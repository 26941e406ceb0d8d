import { z } from "zod";
import { runHistory, type RunRow } from "../../control/run.ts";
import { readSync } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import { showDuration, showTime } from "../daemon/status-time.ts";
import { bool, integer, key } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { readSyncTarget, syncTargetFields } from "./sync-target.ts";

const table = z.object({
  table: z.string(),
  upserted: z.number(),
  deleted: z.number(),
  refilled: z.boolean(),
  why: z.string().optional(),
  setAside: z.number().optional(),
  overwritten: z.number().optional(),
  conflicts: z.number().optional(),
  bytes: z.number().optional(),
  ms: z.number().optional(),
});

const run = z.object({
  id: z.number(),
  sync: z.string(),
  target: z.string(),
  reason: z.string(),
  started: z.date(),
  /** null: it goes on. */
  ended: z.date().nullable(),
  outcome: z.enum(["good", "empty", "bad"]).nullable(),
  upserted: z.number(),
  deleted: z.number(),
  truncates: z.number(),
  bytes: z.number(),
  tables: z.array(table),
  error: z
    .object({
      code: z.string(),
      message: z.string(),
      advice: z.string(),
      table: z.string().optional(),
      sqlstate: z.string().optional(),
    })
    .nullable(),
});
type Run = z.output<typeof run>;

export const listRuns = defineOperation({
  name: ["list", "runs"],
  synonyms: [["list", "run"]],
  summary: "Show the history of a sync",
  description:
    "Its runs, newest first: when, why, how long, rows, and the error of those that failed. -v adds the tables. Runs that found nothing to do are left out unless " +
    "--empty is given. How much is kept: settings history_days and history_runs.",
  group: "syncs",
  effect: "reads",
  control: "required",
  noise: ["sync"],
  input: z.object({
    ...syncTargetFields,
    limit: key(integer(1, 1000).default(20), { about: "How many (default 20).", value: "N" }),
    before: key(integer(1, Number.MAX_SAFE_INTEGER).optional(), { about: "Only runs older than this one, by number.", value: "RUN" }),
    empty: key(bool.default(false), { about: "Also runs that found nothing to do.", flag: true }),
  }),
  output: z.object({ runs: z.array(run) }),
  examples: [
    { command: "bucardo list runs pepper", about: "The last twenty." },
    { command: "bucardo list runs pepper new --limit 5 -v", about: "Towards one target, with tables." },
  ],
  async run({ limit, before, empty, ...given }, context) {
    const { sync: name, target } = readSyncTarget(given);
    if (name === null) throw new BucardoError("usage", "Name a sync.", { advice: "`bucardo list runs SYNC [TARGET]`" });
    const control = await context.control();
    const sync = await readSync(control, name);
    const rows = await runHistory(control, {
      syncId: sync.id,
      target,
      before: before ?? null,
      worked: !empty,
      limit,
    });
    return { runs: rows.map((row) => shown(row, sync.name)) };
  },
  print({ runs }, io) {
    if (runs.length === 0) io.out("No records found");
    const now = new Date();
    for (const one of runs) {
      const took = showDuration(one);
      const rows = one.upserted + one.deleted;
      io.out(
        `${one.id}  ${showTime(one.started, now)}  ${one.sync} to ${one.target}  ${one.outcome ?? "running"} (${one.reason})${took === "" ? "" : `  ${took}`}` +
          (one.outcome === "good" ? `  ${rows} ${rows === 1 ? "row" : "rows"}` : ""),
      );
      if (one.error !== null) io.out(`    ${one.error.message} ${one.error.advice}`.trimEnd());
      if (io.verbose > 0) for (const each of one.tables) io.out(`    ${each.table}: ${each.upserted} written, ${each.deleted} deleted`);
    }
  },
});

/** Without the key of a refused row: that is a value of the row. */
function shown(row: RunRow, sync: string): Run {
  const {
    id,
    target,
    reason,
    started,
    ended,
    outcome,
    upserted,
    deleted,
    truncates,
    errorCode,
    errorMessage,
    errorTable,
    sqlstate,
    advice,
  } = row;
  return {
    id,
    sync,
    target,
    reason,
    started,
    ended,
    outcome,
    upserted,
    deleted,
    truncates,
    bytes: row.bytesDone,
    tables: row.tables.map((one) => ({ ...one })),
    error:
      errorCode === null
        ? null
        : {
            code: errorCode,
            message: errorMessage ?? "",
            advice: advice ?? "",
            ...(errorTable !== null && { table: errorTable }),
            ...(sqlstate !== null && { sqlstate }),
          },
  };
}
