import { expect, it } from "vitest";
import { column, key, table } from "../../test/catalog/shape.ts";
import { checkSource } from "./check-source.ts";
import type { TableShape } from "./table.ts";

const id = column("id", "integer", { notNull: true });
const v = column("v", "text");
const pk = key("pk", ["id"], { primary: true });
const usual = table([id, v], [pk]);

const check = (shape: TableShape | undefined, wanted: string[] | null = null): string[] =>
  checkSource({ schema: "public", name: "t" }, shape, { db: "A", wanted, hint: "public.tt" }).map(({ grade, what }) => `${grade}: ${what}`);

it.each<[string, TableShape | undefined, string[]]>([
  ["nothing", usual, []],
  ["missing", undefined, ["error: does not exist on A; public.tt does"]],
  ["no key", table([id, v], []), ["error: no PRIMARY KEY and no unique index over whole columns"]],
  [
    "deferrable key",
    table([id, v], [{ ...pk, deferrable: true }]),
    ["warning: the key pk is deferrable: where the target's is so too, rows are replaced by deleting and inserting"],
  ],
  [
    "privileges",
    table([id], [pk], { withoutTrigger: [usual], privileges: { ...usual.privileges, select: false } }),
    ["error: us may not select on A", "error: us may not create triggers on A"],
  ],
  ["row level security", table([id], [pk], { rowSecurity: true }), ["error: row level security hides rows from us on A"]],
  [
    "unlogged",
    table([id], [pk], { persistence: "u" }),
    ["warning: is unlogged on A: a crash of the server empties it without a delta, and targets keep the rows"],
  ],
  [
    "foreign leaf",
    table([id], [pk], { foreignLeaves: [{ schema: "public", name: "f" }] }),
    ["error: has foreign tables as partitions on A: public.f"],
  ],
])("%s", (_, shape, problems) => {
  expect(check(shape)).toEqual(problems);
});

it("a view is told once, without its missing key", () => {
  expect(check(table([id], [], { kind: "view" }))).toEqual(["error: is a view on A"]);
});
