import { describe, expect, it, test } from "vitest";
import { column, key, table } from "../../test/catalog/shape.ts";
import { carriedColumns, compareTables } from "./compare.ts";
import type { TableShape } from "./table.ts";

const id = column("id", "integer", { notNull: true });
const v = column("v", "text");
const pk = key("pk", ["id"], { primary: true });
const usual = table([id, v], [pk]);

/** Grade and text of what is found, strictly and not. */
function found(source: TableShape, target: TableShape | undefined): { strict: string[]; lenient: string[] } {
  const list = (strict: boolean): string[] =>
    compareTables(source, target, { strict, key: ["id"], db: "B" }).map(({ grade, what }) => `${grade}: ${what}`);
  return { strict: list(true), lenient: list(false) };
}

/** The one finding; its grade with and without strict checking. */
function only(source: TableShape, target: TableShape): [string, string, string] {
  const { strict, lenient } = found(source, target);
  expect(strict).toHaveLength(1);
  const [one, other] = [strict[0]!, lenient[0]!];
  return [one.slice(0, one.indexOf(":")), other.slice(0, other.indexOf(":")), one.slice(one.indexOf(": ") + 2)];
}

test("two equal tables have no problem", () => {
  expect(found(usual, usual)).toEqual({ strict: [], lenient: [] });
});

test("a missing table is one problem, with what was probably meant", () => {
  expect(compareTables(usual, undefined, { strict: true, key: ["id"], db: "B", hint: "public.T" })).toEqual([
    {
      grade: "error",
      db: "B",
      table: "public.t",
      what: "does not exist on B; public.T does",
      remedy: "Create it on B, or take it out of the sync.",
    },
  ]);
});

describe("columns", () => {
  it.each<[string, TableShape, TableShape, string, string, string]>([
    ["missing", usual, table([id], [pk]), "error", "error", "column v does not exist on B"],
    ["extra", table([id], [pk]), usual, "error", "warning", "column v exists only on B"],
    [
      "extra and needed",
      table([id], [pk]),
      table([id, { ...v, notNull: true }], [pk]),
      "error",
      "error",
      "column v exists only on B and is NOT NULL without a default",
    ],
    [
      "extra with default",
      table([id], [pk]),
      table([id, { ...v, notNull: true, defaultExpression: "''" }], [pk]),
      "error",
      "warning",
      "column v exists only on B",
    ],
    [
      "type",
      usual,
      table([id, column("v", "integer")], [pk]),
      "error",
      "error",
      "column v is text on the source and integer on B: rows cannot cross between these types",
    ],
    [
      "narrower",
      usual,
      table([id, column("v", "character varying(3)")], [pk]),
      "error",
      "warning",
      "column v is text on the source and character varying(3) on B: longer values do not fit on the target",
    ],
    [
      "not null",
      usual,
      table([id, { ...v, notNull: true }], [pk]),
      "error",
      "warning",
      "column v is nullable on the source and NOT NULL on B",
    ],
    [
      "nullable",
      table([id, { ...v, notNull: true }], [pk]),
      usual,
      "error",
      "warning",
      "column v is NOT NULL on the source and nullable on B",
    ],
    [
      "default",
      usual,
      table([id, { ...v, defaultExpression: "'x'" }], [pk]),
      "error",
      "warning",
      "column v has the default none on the source and 'x' on B",
    ],
    ["order", usual, table([v, id], [pk]), "error", "warning", "columns stand in another order: id on the source where v is on B"],
    [
      "generated there",
      usual,
      table([id, { ...v, generated: "s", defaultExpression: "'x'" }], [pk]),
      "error",
      "error",
      "column v is generated on B but not on the source: its values cannot be written",
    ],
    [
      "generated here",
      table([id, { ...v, generated: "v", defaultExpression: "'x'" }], [pk]),
      usual,
      "warning",
      "warning",
      "column v is generated on the source but not on B: its values are copied, and nothing computes them for rows that are written there",
    ],
    [
      "generated otherwise",
      table([id, { ...v, generated: "s", defaultExpression: "'x'" }], [pk]),
      table([id, { ...v, generated: "v", defaultExpression: "'y'" }], [pk]),
      "error",
      "warning",
      "column v has the expression 'x' on the source and 'y' on B",
    ],
  ])("%s", (_, source, target, strict, lenient, what) => {
    expect(only(source, target)).toEqual([strict, lenient, what]);
  });

  it("serial, identity and its forms count as the same default", () => {
    const serial = { ...id, defaultExpression: "nextval('public.t_id_seq'::regclass)" };
    const always = { ...id, identity: "a" as const };
    const byDefault = { ...id, identity: "d" as const };
    for (const [one, other] of [
      [serial, always],
      [always, byDefault],
      [byDefault, serial],
    ] as const) {
      expect(found(table([one], [pk]), table([other], [pk])).strict).toEqual([]);
    }
    expect(found(table([id], [pk]), table([always], [pk])).strict).toHaveLength(1);
  });

  it("order is that of the common columns only", () => {
    const gone = column("gone", "text");
    expect(found(table([id, gone, v], [pk]), table([id, v], [pk])).strict).toEqual(["error: column gone does not exist on B"]);
  });
});

describe("keys", () => {
  it("H29: sides that disagree on which keys are equal are an error", () => {
    const keyed = (more: Partial<typeof id>): TableShape => table([column("id", "text", { notNull: true, ...more })], [pk]);
    const text = keyed({});
    const citext = keyed({ type: "public.citext", baseType: "public.citext", portableType: "citext:citext" });
    const blind = keyed({ collation: "public.ci", collationDeterministic: false });
    const padded = keyed({ type: "character(3)", baseType: "character(3)", portableType: "character(3)" });
    for (const [one, other] of [
      [text, citext],
      [citext, text],
      [text, blind],
      [blind, text],
      [padded, text],
    ] as const) {
      expect(found(one, other).lenient.filter((what) => what.startsWith("error: key column id compares"))).toHaveLength(1);
    }
    for (const same of [text, citext, blind, padded]) expect(found(same, same).strict).toEqual([]);
    const b = column("id", "text", { notNull: true, collation: 'pg_catalog."C"' });
    expect(found(text, table([b], [pk])).strict).toEqual([]);
  });

  it.each<[string, TableShape, string]>([
    [
      "no index",
      table([id, v], []),
      "no unique index over the key (id) on B: rows are replaced by deleting and inserting, and looked up slowly",
    ],
    [
      "deferrable",
      table([id, v], [{ ...pk, deferrable: true }]),
      "the unique index pk over the key (id) is deferrable on B: rows are replaced by deleting and inserting",
    ],
    [
      "invalid",
      table([id, v], [{ ...pk, valid: false }]),
      "the unique index pk over the key (id) is not valid on B: rows are replaced by deleting and inserting",
    ],
    [
      "another unique key",
      table([id, v], [pk, key("u", ["v"])]),
      "(v) is unique on B (u) but not on the source: a second row with equal values stops the sync",
    ],
  ])("%s on the target is a warning", (_, target, what) => {
    expect(only(usual, target)).toEqual(["warning", "warning", what]);
  });

  it("a unique key that follows from one of the source's is none of its own", () => {
    expect(found(usual, table([id, v], [pk, key("u", ["v", "id"])])).strict).toEqual([]);
  });
});

describe("the target's table", () => {
  it.each<[string, Partial<TableShape>, string, string]>([
    ["view", { kind: "view", leaves: [] }, "error", "is a view on B"],
    ["foreign table", { kind: "foreign" }, "error", "is a foreign table on B"],
    ["no partitions", { kind: "partitioned", leaves: [] }, "error", "is partitioned on B and has no partitions"],
    ["unlogged", { persistence: "u" }, "warning", "is unlogged on B: a crash of that server empties it, and nobody sends the rows again"],
    ["privileges", { privileges: { ...usual.privileges, insert: false, delete: false } }, "error", "us may not insert, delete on B"],
    ["schema", { privileges: { ...usual.privileges, schemaUsage: false } }, "error", "us may not use the schema public on B"],
    ["row level security", { rowSecurity: true }, "error", "row level security applies to us on B"],
    [
      "H16: always trigger",
      {
        triggers: [
          { name: "x", enabled: "A", internal: false },
          { name: "o", enabled: "O", internal: false },
        ],
      },
      "warning",
      "the trigger x on B fires for replicated rows too (ENABLE ALWAYS or REPLICA)",
    ],
    [
      "H16: replica rule",
      {
        rules: [
          { name: "x", enabled: "R" },
          { name: "o", enabled: "O" },
        ],
      },
      "warning",
      "the rule x on B rewrites replicated rows too (ENABLE ALWAYS or REPLICA)",
    ],
    [
      "check",
      { constraints: [{ name: "c", kind: "check", definition: "CHECK (id > 0)" }] },
      "warning",
      "the check constraint c exists only on B: a row that it refuses stops the sync",
    ],
  ])("%s", (_, more, grade, what) => {
    expect(only(usual, table([id, v], [pk], more))).toEqual([grade, grade, what]);
  });

  it("a check that both have is none, whatever its name and spelling", () => {
    const checked = (definition: string): TableShape =>
      table([id], [pk], { constraints: [{ name: definition, kind: "check", definition }] });
    expect(found(checked("CHECK ((id > 0))"), checked("CHECK (id > (0)::integer)")).strict).toEqual([]);
  });

  it("remedies can be pasted", () => {
    const target = table([id, v], [pk], { schema: 'S "1"', privileges: { ...usual.privileges, user: "my user", update: false } });
    expect(compareTables(usual, target, { strict: true, key: ["id"], db: "B" }).map((problem) => problem.remedy)).toEqual([
      'On B: grant update on "S ""1"""."t" to "my user";',
    ]);
  });
});

test("everything is told at once", () => {
  const bad = table([column("id", "text"), column("x", "text")], [], {
    persistence: "u",
    privileges: { ...usual.privileges, select: false },
  });
  expect(found(usual, bad).strict).toHaveLength(7);
});

test("carried columns are those both have and the target does not compute", () => {
  const computed = (name: string) => column(name, "text", { generated: "s" });
  expect(
    carriedColumns(
      { columns: [id, v, computed("g"), column("h", "text"), column("only", "text")] },
      { columns: [computed("h"), column("g", "text"), v, id] },
    ),
  ).toEqual(["id", "v", "g"]);
});
