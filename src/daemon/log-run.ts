import type { BucardoError } from "../model/error.ts";
import type { RunResult } from "../model/run.ts";
import type { Log } from "../telemetry/log.ts";

/** Runs without rows are only for the curious. */
export function logDone(log: Log, run: number, result: RunResult, ms: number): void {
  const rows = result.tables.reduce((sum, table) => sum + table.upserted + table.deleted, 0);
  const text = `Run ${run} ${result.outcome}: ${rows} rows in ${Math.round(ms)} ms.`;
  const fields = { run, rows, ms: Math.round(ms) };
  for (const { table, why, upserted } of result.tables)
    if (why !== undefined) log.info({ run, table, rows: upserted }, `Run ${run}: ${table} was filled anew: ${why}.`);
  if (result.outcome === "empty") log.debug(fields, text);
  else log.info(fields, text);
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
