import type { BucardoError } from "../model/error.ts";
import type { RunResult } from "../model/run.ts";
import type { Log } from "../telemetry/log.ts";

/** Runs without rows are only for the curious. */
export function logDone(log: Log, run: number, result: RunResult, ms: number): void {
  const rows = rowsOf(result);
  const text = `Run ${run} ${result.outcome}: ${rows} rows in ${Math.round(ms)} ms.`;
  const fields = { run, rows, ms: Math.round(ms) };
  logTables(log, run, result);
  if (result.outcome === "empty") log.debug(fields, text);
  else log.info(fields, text);
}

/** Quick runs, which may be hundreds a second: one line for those that were recorded together. */
export function logQuick(
  log: Log,
  ids: readonly number[],
  runs: readonly { readonly began: number; readonly ended: number; readonly result: RunResult }[],
): void {
  const full = runs.flatMap((run, index) => (run.result.outcome === "empty" ? [] : [{ ...run, id: ids[index]! }]));
  const [first] = full;
  const last = full.at(-1);
  if (first === undefined || last === undefined) return;
  if (first === last) return logDone(log, first.id, first.result, first.ended - first.began);
  for (const run of full) logTables(log, run.id, run.result);
  const rows = full.reduce((sum, { result }) => sum + rowsOf(result), 0);
  const ms = Math.round(last.ended - first.began);
  log.info({ run: last.id, rows, ms }, `Runs ${first.id} to ${last.id} good: ${rows} rows in ${ms} ms.`);
}

/** Rows that a run wrote or deleted on the target. */
export function rowsOf(result: RunResult): number {
  return result.tables.reduce((sum, table) => sum + table.upserted + table.deleted, 0);
}

/** What a person should know of a table although the run was good; never which rows. */
function logTables(log: Log, run: number, result: RunResult): void {
  for (const { table, why, upserted, setAside, overwritten } of result.tables) {
    if (why !== undefined) log.info({ run, table, rows: upserted }, `Run ${run}: ${table} was filled anew: ${why}.`);
    if (setAside !== undefined)
      log.warn({ run, table, rows: setAside }, `Run ${run}: rows of ${table} were refused and set aside: ${setAside}.`);
    if (overwritten !== undefined)
      log.warn({ run, table, rows: overwritten }, `Run ${run}: rows of ${table} on the target had to give way: ${overwritten}.`);
  }
}

/** Never the key: it is a value of a row. */
export function logFailed(log: Log, run: number, error: BucardoError, ms: number): void {
  const { sqlstate, table } = error.details;
  const place = { ...(sqlstate === undefined ? {} : { sqlstate }), ...(table === undefined ? {} : { table }) };
  const fields = { run, code: error.code, ms: Math.round(ms), ...place };
  const text = `Run ${run} failed: ${error.message} ${error.advice}`;
  if (error.retry === "now" || error.code === "interrupted") log.info(fields, text);
  else log.error(fields, text);
}
