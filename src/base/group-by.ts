/** Items by what `of` says of them, each group and the groups in the order met. (Map.groupBy needs Node 21.) */
export function groupBy<Item, Of>(items: Iterable<Item>, of: (item: Item) => Of): Map<Of, Item[]> {
  const groups = new Map<Of, Item[]>();
  for (const item of items) {
    const group = groups.get(of(item));
    if (group) group.push(item);
    else groups.set(of(item), [item]);
  }
  return groups;
}
