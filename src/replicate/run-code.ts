import type { TableCounts } from "../model/run.ts";
import type { Session } from "../postgres/session.ts";
import type { RunDefinition } from "./definition.ts";
import type { Fetched } from "./fetch.ts";
import { applyHandled } from "./handled.ts";
import type { RunHooks, RunPoint } from "./hooks.ts";
import type { Member } from "./member.ts";

type Attempt = {
  readonly source: Session;
  readonly signal: AbortSignal;
  readonly hooks?: RunHooks;
  /** Not null: a row is known to be refused, and handlers had their chance. */
  readonly careful: unknown;
};

/**
 * What custom code did on the target must not be done again for the same rows. Where rows may be set aside or make others give way, the notes of that
 * would be missing: there the rows are sent again.
 */
export function isOnce({
  hooks,
  definition: { onError = "stop" },
}: {
  readonly hooks?: RunHooks;
  readonly definition: RunDefinition;
}): boolean {
  return hooks !== undefined && onError === "stop";
}

/**
 * Applies with custom code around it. Code may change rows on both sides, so the source ends its part only when it has had its say: what it changed
 * there is committed right before the target commits, captured like any change, and travels with the next run.
 */
export async function applyWithCode<Ended>(
  { source, signal, hooks, careful }: Attempt,
  target: Member,
  fetched: readonly Fetched[],
  apply: (fetched: readonly Fetched[]) => Promise<TableCounts[]>,
  end: () => Promise<Ended>,
): Promise<[Ended, TableCounts[]]> {
  const at = async (point: RunPoint, tables: readonly TableCounts[]) =>
    hooks?.at(point, { source, target: target.session, tables, table: null });
  await at("before_trigger_disable", []);
  await at("after_trigger_disable", []);
  const handled = hooks !== undefined && careful === null;
  const tables = await (handled ? applyHandled({ hooks, source, target, signal }, fetched, apply) : apply(fetched));
  await at("before_trigger_enable", tables);
  await at("after_trigger_enable", tables);
  return [await end(), tables];
}
