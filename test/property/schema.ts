import fc from "fast-check";
import type { Major } from "../harness/binaries.ts";
import { keyTypes, payloadTypes } from "./key-type.ts";

/** One random table as plain data, so that fast-check can print and shrink it. */
export type TableSpec = {
  readonly shape: "plain" | "list" | "range" | "hash" | "parent";
  readonly key: readonly string[];
  readonly keyKind: "primary" | "unique";
  readonly payload: readonly string[];
  readonly unique: "none" | "immediate" | "deferrable";
  /** Refers to the nearest table before it that can be referred to. */
  readonly refers: "none" | "cascade" | "set null" | "deferred";
  readonly identity: boolean;
  readonly generated: boolean;
  readonly odd: boolean;
  /** The target's table, where the source's is partitioned. */
  readonly onTarget: "same" | "plain" | "other";
  /** Joins the sync later. */
  readonly late: boolean;
};

export type SchemaSpec = { readonly tables: readonly TableSpec[] };

/** A table that exists, with what statements need to know of it. */
export type Table = {
  readonly spec: TableSpec;
  /** Quoted, in public. */
  readonly sql: string;
  readonly plainName: string;
  /** Columns that a statement may set, with their type names in `keyTypes`, `payloadTypes`. */
  readonly key: readonly { name: string; type: string }[];
  readonly payload: readonly { name: string; type: string }[];
  readonly partition: boolean;
  readonly unique: boolean;
  readonly refers: { readonly to: Table; readonly columns: readonly string[] } | null;
  /** Quoted names that statements may go through: the table, and of a partitioned one its branches and leaves. */
  readonly ways: readonly string[];
  /** Leaves that can be detached and attached, with their bounds. The last one is not attached to begin with. */
  readonly leaves: readonly { readonly sql: string; readonly bound: string }[];
};

export const anySchema: fc.Arbitrary<SchemaSpec> = fc.record({
  tables: fc.array(
    fc.record<TableSpec>({
      shape: fc.oneof(
        { arbitrary: fc.constant("plain" as const), weight: 4 },
        { arbitrary: fc.constantFrom("list", "range", "hash", "parent"), weight: 3 },
      ),
      key: fc.array(fc.constantFrom(...Object.keys(keyTypes)), { minLength: 1, maxLength: 2 }),
      keyKind: fc.constantFrom("primary", "unique"),
      payload: fc.array(fc.constantFrom(...Object.keys(payloadTypes)), { minLength: 1, maxLength: 3 }),
      unique: fc.constantFrom("none", "immediate", "deferrable"),
      refers: fc.constantFrom("none", "cascade", "set null", "deferred"),
      identity: fc.boolean(),
      generated: fc.boolean(),
      odd: fc.boolean(),
      onTarget: fc.constantFrom("same", "plain", "other"),
      late: fc.oneof({ arbitrary: fc.constant(false), weight: 3 }, { arbitrary: fc.constant(true), weight: 1 }),
    }),
    { minLength: 1, maxLength: 4, size: "max" },
  ),
});

/** Resolves what the random choice left open; a feature that a major lacks falls back to a plainer one. */
export function tablesOf({ tables }: SchemaSpec, majors: readonly [Major, Major]): Table[] {
  const made: Table[] = [];
  const oldest = Math.min(...majors);
  for (const [index, chosen] of tables.entries()) {
    const spec = possible(chosen, oldest);
    const plainName = spec.odd ? `T "${index}" ä` : `t${index}`;
    const partition = ["list", "range", "hash"].includes(spec.shape);
    const to =
      spec.refers === "none" ? undefined : made.findLast((other) => other.spec.shape === "plain" || (other.partition && oldest >= 12));
    const table: Table = {
      spec,
      sql: name(plainName),
      plainName,
      key: spec.key.map((type, at) => ({ name: `k${at + 1}`, type })),
      payload: spec.payload.map((type, at) => ({ name: `v${at + 1}`, type })),
      partition,
      unique: spec.unique !== "none" && !partition,
      refers: to === undefined ? null : { to, columns: fullKey(to).map((_, at) => `r${at + 1}`) },
      leaves: partition ? leavesOf(plainName, spec.shape) : [],
      ways: partition ? [name(plainName), ...leavesOf(plainName, spec.shape).map((leaf) => leaf.sql)] : [name(plainName)],
    };
    made.push(table);
    if (spec.shape === "parent")
      made.push({ ...table, plainName: `${plainName}_child`, sql: name(`${plainName}_child`), ways: [name(`${plainName}_child`)] });
  }
  return made;
}

function possible(spec: TableSpec, oldest: number): TableSpec {
  const partitioned = ["list", "range", "hash"].includes(spec.shape);
  return {
    ...spec,
    shape: partitioned && oldest < 11 ? "plain" : spec.shape,
    generated: spec.generated && oldest >= 12,
    identity: spec.identity && !partitioned && spec.shape !== "parent",
  };
}

/** Four parts by `p` in 0..3; the last is a table of its own to begin with. */
function leavesOf(plainName: string, shape: string): Table["leaves"] {
  return [0, 1, 2, 3].map((part) => ({
    sql: name(`${plainName}_${part}`),
    bound:
      shape === "list"
        ? `for values in (${part})`
        : shape === "range"
          ? `for values from (${part}) to (${part + 1})`
          : `for values with (modulus 4, remainder ${part})`,
  }));
}

function name(plain: string): string {
  return `public."${plain.replaceAll('"', '""')}"`;
}

export function createText(tables: readonly Table[], side: "source" | "target"): string {
  return tables.map((table) => createTable(table, side)).join("\n");
}

function createTable(table: Table, side: "source" | "target"): string {
  if (table.plainName.endsWith("_child")) {
    const parent = name(table.plainName.slice(0, -"_child".length));
    return `create table ${table.sql} (${keyText(table)}) inherits (${parent});`;
  }
  const columns = [
    ...table.key.map((column) => `${column.name} ${keyTypes[column.type]!.type} not null`),
    ...(table.partition ? ["p int not null default 0"] : []),
    ...table.payload.map((column) => `${column.name} ${payloadTypes[column.type]!.type}`),
    ...(table.unique ? [`u int unique${table.spec.unique === "deferrable" ? " deferrable initially deferred" : ""}`] : []),
    "s bigint default nextval('public.tick')",
    ...(table.spec.identity ? ["i bigint generated always as identity"] : []),
    ...(table.spec.generated ? ["g bigint generated always as (s * 2) stored"] : []),
    ...(table.refers?.columns ?? []).map((column, at) => `${column} ${keyTypes[fullKey(table.refers!.to)[at]!.type]!.type}`),
    keyText(table),
    ...referText(table),
  ].join(", ");
  const layout = !table.partition ? "plain" : side === "source" ? "same" : table.spec.onTarget;
  if (layout === "plain") return `create table ${table.sql} (${columns});`;
  if (layout === "other") {
    const half = (remainder: number) =>
      `create table ${name(`${table.plainName}_${remainder}`)} partition of ${table.sql} for values with (modulus 2, remainder ${remainder});`;
    return `create table ${table.sql} (${columns}) partition by hash (p); ${half(0)} ${half(1)}`;
  }
  const leaves = table.leaves.map((leaf, at) =>
    at === 3 && side === "source"
      ? `create table ${leaf.sql} (like ${table.sql} including all);`
      : `create table ${leaf.sql} partition of ${table.sql} ${leaf.bound};`,
  );
  return `create table ${table.sql} (${columns}) partition by ${table.spec.shape} (p); ${leaves.join(" ")}`;
}

/** A key of a partitioned table must hold the column that chooses the leaf. */
export function fullKey({ key, partition }: Table): Table["key"] {
  return partition ? [...key, { name: "p", type: "int" }] : key;
}

function keyText(table: Table): string {
  const columns = fullKey(table)
    .map((column) => column.name)
    .join(", ");
  return `${table.spec.keyKind === "primary" ? "primary key" : "unique"} (${columns})`;
}

function referText({ refers, spec }: Table): string[] {
  if (refers === null) return [];
  const columns = refers.columns.join(", ");
  const action = spec.refers === "deferred" ? "deferrable initially deferred" : `on update cascade on delete ${spec.refers}`;
  return [
    `foreign key (${columns}) references ${refers.to.sql} (${fullKey(refers.to)
      .map((column) => column.name)
      .join(", ")}) ${action}`,
  ];
}
