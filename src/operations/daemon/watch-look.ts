import { recentRates, type RecentRate } from "../../control/rate.ts";
import type { Context } from "../context.ts";
import { chooseSyncs } from "./status-choose.ts";
import { readStatus, type Status } from "./status-read.ts";

/** What was to be seen at one moment. */
export type Glance = { readonly status: Status; readonly rates: readonly RecentRate[] };

/** Rates are of the runs that ended in the last so many seconds. */
export const RATE_SECONDS = 10;

/** Of the syncs that the words name, all without words. Errors: unknown-object. */
export async function look(context: Pick<Context, "control">, names: readonly string[]): Promise<Glance> {
  const control = await context.control();
  const all = await readStatus(control);
  const rates = await recentRates(control, RATE_SECONDS);
  return { status: names.length === 0 ? all : { ...all, syncs: chooseSyncs(all, names) }, rates };
}
