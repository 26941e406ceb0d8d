import type { Settings } from "../config/setting.ts";
import { pruneAlerts } from "../control/alert.ts";
import { pruneConflicts } from "../control/conflict.ts";
import { pruneKicks } from "../control/kick.ts";
import { pruneRequests } from "../control/request.ts";
import { pruneRuns } from "../control/run.ts";
import type { Lease } from "./lease.ts";

const ROWS = 10_000;

/** Forgets what is older than the settings say; in pieces, and no more than one of them once `ending`. */
export async function prune(
  lease: Pick<Lease, "use">,
  { history_days: days, history_runs: runs, conflict_days: age, conflict_rows: rows }: Settings,
  ending: () => boolean,
): Promise<void> {
  while ((await lease.use((session) => pruneRuns(session, days, runs, ROWS))) === ROWS && !ending());
  while ((await lease.use((session) => pruneConflicts(session, age, rows, ROWS))) === ROWS && !ending());
  await lease.use((session) => pruneKicks(session, days));
  await lease.use((session) => pruneRequests(session, days));
  await lease.use((session) => pruneAlerts(session, days));
}
