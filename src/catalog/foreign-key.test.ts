import fc from "fast-check";
import { expect, it } from "vitest";
import { orderByForeignKeys } from "./foreign-key.ts";

type Linked = Parameters<typeof orderByForeignKeys>[0][number];

/** `{ child: ["parent"] }` */
function tables(links: Record<string, string[]>): Linked[] {
  return Object.entries(links).map(([name, parents]) => ({
    schema: "s",
    name,
    foreignKeys: parents.map((parent) => ({ name: "fk", to: { schema: "s", name: parent }, deferrable: false })),
  }));
}

const names = (list: readonly Linked[]): string[] => list.map((table) => table.name);

it.each<[string, Record<string, string[]>, string[], string[][]]>([
  [
    "parents come first",
    { item: ["order", "product"], order: ["customer"], product: [], customer: [] },
    ["customer", "order", "product", "item"],
    [],
  ],
  ["the order given stays where nothing decides", { c: [], a: [], b: [] }, ["c", "a", "b"], []],
  ["a table of its own parent is no cycle", { a: ["a"] }, ["a"], []],
  ["tables that are not given count for nothing", { a: ["elsewhere"], b: ["a"] }, ["a", "b"], []],
  ["a cycle stands together", { x: ["a"], a: ["b"], b: ["c"], c: ["a", "p"], p: [] }, ["p", "a", "b", "c", "x"], [["a", "b", "c"]]],
  [
    "two cycles",
    { a: ["b"], b: ["a"], c: ["d"], d: ["c", "a"] },
    ["a", "b", "c", "d"],
    [
      ["a", "b"],
      ["c", "d"],
    ],
  ],
])("%s", (_, links, order, cycles) => {
  const result = orderByForeignKeys(tables(links));
  expect(names(result.order)).toEqual(order);
  expect(result.cycles.map(names)).toEqual(cycles);
});

it("orders a chain of many thousands", () => {
  const links = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`t${index}`, index === 19_999 ? [] : [`t${index + 1}`]]));
  expect(names(orderByForeignKeys(tables(links)).order)).toEqual(Object.keys(links).toReversed());
});

it("loses no table, and a reference against the order stays inside of a cycle", () => {
  const graph = fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(graph, (edges) => {
      const links = Object.fromEntries(edges.map((parents, index) => [`t${index}`, parents.map((parent) => `t${parent}`)]));
      const { order, cycles } = orderByForeignKeys(tables(links));
      const place = new Map(names(order).map((name, index) => [name, index]));
      expect([...place.keys()].toSorted()).toEqual(Object.keys(links).toSorted());
      const together = (one: Linked, other: string): boolean => cycles.some((cycle) => cycle.includes(one) && names(cycle).includes(other));
      const backwards = order.flatMap((table) =>
        table.foreignKeys
          .map(({ to }) => to.name)
          .filter((parent) => (place.get(parent) ?? -1) > place.get(table.name)! && !together(table, parent)),
      );
      expect(backwards).toEqual([]);
    }),
  );
});
