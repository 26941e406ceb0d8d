import { displayName } from "../model/name.ts";
import type { TableCounts } from "../model/run.ts";
import type { Session } from "../postgres/session.ts";
import { applyTable } from "./apply.ts";
import { applyAwake, refuseAwake } from "./apply-awake.ts";
import { needsCare, type Careful } from "./careful.ts";
import { applyCarefully } from "./careful-apply.ts";
import { applyAwakeCarefully } from "./careful-awake.ts";
import { fetchCarefully } from "./careful-fetch.ts";
import { expectedRows } from "./expect.ts";
import { fetchTable, type Fetched } from "./fetch.ts";
import type { RunHooks } from "./hooks.ts";
import { reach } from "../base/point.ts";
import type { Member } from "./member.ts";
import type { TablePlan } from "./plan.ts";
import type { Progress } from "./run-progress.ts";
import type { Stopwatch } from "./statistics.ts";
import type { TableLink } from "./table-link.ts";

/** What the tables of a run are moved with. */
type Moving = {
  readonly source: Session;
  readonly signal: AbortSignal;
  readonly careful: Careful | null;
  readonly hooks?: RunHooks;
};

/** One table after the other: the two servers are busy with one stream already, and all of them read one snapshot on one connection. */
export async function fetchAll(
  { source, signal, careful, hooks }: Moving,
  target: Member,
  plans: readonly TablePlan[],
  links: ReadonlyMap<number, TableLink>,
  progress: Progress,
  watch: Stopwatch,
): Promise<Fetched[]> {
  if (!target.replica) refuseAwake(target, [...links.values()]);
  progress.expect(await expectedRows(source, plans));
  const fetched: Fetched[] = [];
  for (const plan of plans) {
    const link = links.get(plan.table.captured)!;
    progress.step("fetching", link.name);
    const table = displayName(link.name);
    const staged = hooks?.handles(link.name) ?? false;
    const job = { source, target, plan, link, signal, staged, onBytes: (bytes: number, rows: number) => progress.moved(bytes, rows) };
    const done = await watch.time(table, () => (needsCare(careful, table) ? fetchCarefully(job, careful) : fetchTable(job)));
    progress.fetched(done);
    fetched.push(done);
    await reach("replicate.table-staged");
  }
  return fetched;
}

/** In the order they came; a table after which custom code runs is told so far. */
export async function applyAll(
  { source, careful, hooks }: Moving,
  target: Member,
  fetched: readonly Fetched[],
  progress: Progress,
  watch: Stopwatch,
): Promise<TableCounts[]> {
  if (!target.replica) {
    const all = await (careful === null ? applyAwake(target, fetched) : applyAwakeCarefully(target, fetched, careful));
    for (const { link } of fetched) await hooks?.at("after_table_sync", { source, target: target.session, tables: all, table: link.name });
    return all;
  }
  const counts: TableCounts[] = [];
  for (const each of fetched) {
    progress.step("applying", each.link.name);
    const table = displayName(each.link.name);
    const apply = () => (needsCare(careful, table) ? applyCarefully(source, target, each, careful) : applyTable(target, each));
    counts.push(await watch.time(table, apply));
    await hooks?.at("after_table_sync", { source, target: target.session, tables: counts, table: each.link.name });
    await reach("replicate.table-applied");
  }
  return counts;
}
