import type { Change, Changed, Snapshot } from "./page-types.ts";

/** What became different from one look to the next; null: nothing. Pure. */
export function differenceOf(before: Snapshot, after: Snapshot): Change | null {
  const change: Change = {
    at: after.at,
    ...(same(before.daemon, after.daemon) ? {} : { daemon: after.daemon }),
    ...(same(before.migration, after.migration) ? {} : { migration: after.migration }),
    ...(same(before.trouble, after.trouble) ? {} : { trouble: after.trouble }),
    ...listed("databases", before.databases, after.databases, (one) => one.name),
    ...listed("groups", before.groups, after.groups, (one) => one.name),
    ...listed("syncs", before.syncs, after.syncs, (one) => one.name),
    ...listed("targets", before.targets, after.targets, (one) => one.id),
  };
  return Object.keys(change).length === 1 ? null : change;
}

function listed<Name extends string, Item>(
  name: Name,
  before: readonly Item[],
  after: readonly Item[],
  keyOf: (item: Item) => string,
): { [Key in Name]?: Changed<Item> } {
  if (before === after) return {};
  const old = new Map(before.map((item) => [keyOf(item), item]));
  const put: Item[] = [];
  for (const item of after) {
    const was = old.get(keyOf(item));
    old.delete(keyOf(item));
    if (was === undefined || !same(was, item)) put.push(item);
  }
  if (put.length === 0 && old.size === 0) return {};
  const changed: Changed<Item> = { put, gone: [...old.keys()] };
  return { [name]: changed } as { [Key in Name]?: Changed<Item> };
}

/** Both are made by the same code, so that names stand in the same order. */
function same(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
