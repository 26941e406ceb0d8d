import { displayName, type QualifiedName } from "../model/name.ts";
import type { ForeignKey } from "./table.ts";

type Linked = QualifiedName & { readonly foreignKeys: readonly ForeignKey[] };

export type ForeignKeyOrder<Table> = {
  /** Parents before the tables that refer to them; where nothing decides, in the order given. Members of a cycle stand together. */
  readonly order: readonly Table[];
  /** Tables that refer to each other in a circle; a table that only refers to itself is none. */
  readonly cycles: readonly (readonly Table[])[];
};

/** Topological order by foreign keys; references to tables that are not given count for nothing. */
export function orderByForeignKeys<Table extends Linked>(tables: readonly Table[]): ForeignKeyOrder<Table> {
  const byName = new Map(tables.map((table) => [displayName(table), table]));
  const parents = (table: Table): Table[] =>
    table.foreignKeys.flatMap((key) => byName.get(displayName(key.to)) ?? []).filter((parent) => parent !== table);
  const groups = connectedGroups(tables, parents);
  return { order: groups.flat(), cycles: groups.filter((group) => group.length > 1) };
}

/**
 * Tarjan's strongly connected components: a group is emitted after everything it reaches, and what a table reaches are its
 * parents, so the order of emission is the order wanted. The stack is explicit: 5,000 tables in one chain are no recursion.
 */
function connectedGroups<Node>(nodes: readonly Node[], reaches: (node: Node) => readonly Node[]): Node[][] {
  const groups: Node[][] = [];
  const index = new Map<Node, number>();
  const low = new Map<Node, number>();
  const open: Node[] = [];
  const isOpen = new Set<Node>();
  const enter = (node: Node): { node: Node; next: Iterator<Node> } => {
    index.set(node, index.size);
    low.set(node, index.get(node)!);
    open.push(node);
    isOpen.add(node);
    return { node, next: reaches(node)[Symbol.iterator]() };
  };
  for (const start of nodes) {
    if (index.has(start)) continue;
    const path = [enter(start)];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { value: reached, done } = top.next.next();
      if (!done && !index.has(reached)) path.push(enter(reached));
      else if (!done && isOpen.has(reached)) low.set(top.node, Math.min(low.get(top.node)!, index.get(reached)!));
      else if (done) {
        path.pop();
        const caller = path.at(-1);
        if (caller) low.set(caller.node, Math.min(low.get(caller.node)!, low.get(top.node)!));
        if (low.get(top.node) === index.get(top.node)) groups.push(close(open, isOpen, top.node, nodes));
      }
    }
  }
  return groups;
}

function close<Node>(open: Node[], isOpen: Set<Node>, last: Node, nodes: readonly Node[]): Node[] {
  const group = open.splice(open.indexOf(last));
  for (const node of group) isOpen.delete(node);
  return group.length === 1 ? group : group.toSorted((one, other) => nodes.indexOf(one) - nodes.indexOf(other));
}
