import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { TablePlan } from "./plan.ts";

/** With fewer deltas the server's usual memory does. */
const MANY = 20_000;
const MEMORY = "64MB";

/** Does `read` with enough memory to sort many keys without a detour over the disk. Within the run's transaction, and no longer than that takes. */
export async function withManyKeys<T>(source: Session, { action, table }: TablePlan, read: () => Promise<T>): Promise<T> {
  if (action === "recopy" || table.deltas < MANY) return await read();
  await source.script(sql("replicate.many-keys", `set local work_mem = '${MEMORY}'`));
  const result = await read();
  await source.script(sql("replicate.usual-keys", "set local work_mem to default"));
  return result;
}
