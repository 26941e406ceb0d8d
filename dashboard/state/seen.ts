import type { Change, Changed, Snapshot } from "../../src/http/page-types.ts";

/** The snapshot with a change laid over it. Pure; what did not change stays the very same object. */
export function withChange(seen: Snapshot, change: Change): Snapshot {
  return {
    ...seen,
    at: change.at,
    daemon: change.daemon === undefined ? seen.daemon : change.daemon,
    databases: merged(seen.databases, change.databases, (one) => one.name),
    groups: merged(seen.groups, change.groups, (one) => one.name),
    syncs: merged(seen.syncs, change.syncs, (one) => one.name),
    targets: merged(seen.targets, change.targets, (one) => one.id),
    migration: change.migration === undefined ? seen.migration : change.migration,
    trouble: change.trouble ?? seen.trouble,
  };
}

function merged<Item>(items: readonly Item[], changed: Changed<Item> | undefined, keyOf: (item: Item) => string): readonly Item[] {
  if (changed === undefined) return items;
  const gone = new Set(changed.gone);
  const put = new Map(changed.put.map((item) => [keyOf(item), item]));
  const kept = items.filter((item) => !gone.has(keyOf(item))).map((item) => take(put, keyOf(item)) ?? item);
  return [...kept, ...put.values()];
}

function take<Value>(from: Map<string, Value>, key: string): Value | undefined {
  const value = from.get(key);
  from.delete(key);
  return value;
}
