import type { WriterCommand } from "./command.ts";
import { keyLiteral, payloadTypes } from "./key-type.ts";
import { fullKey, type Table } from "./schema.ts";

type ChangeCommand = Extract<WriterCommand, { table: number }>;

/** The statement of a command; for `copy` with expressions of the rows to send. Null: this table has no such thing. */
export function statementOf(command: ChangeCommand, tables: readonly Table[]): { text: string; rows?: string[][] } | null {
  const table = tables[command.table % tables.length]!;
  const way = table.ways[command.way % table.ways.length]!;
  const { key, other, value } = command;
  const set = table.payload.map((column) => `${column.name} = ${payload(column.type, value)}`).join(", ");
  switch (command.do) {
    case "insert":
      return { text: `insert into ${way} (${columnsOf(table)}) values (${rowOf(table, key, other, value)})` };
    case "insert many": {
      const rows = [0, 1, 2, 3].map((at) => `(${rowOf(table, key + at, other + at, value + at)})`).join(", ");
      return { text: `insert into ${way} (${columnsOf(table)}) values ${rows} on conflict do nothing` };
    }
    case "update":
      return { text: `update ${way} set ${set} where ${where(table, key, other)}` };
    case "update all":
      return { text: `update ${way} set ${set}` };
    case "delete":
      return { text: `delete from ${way} where ${where(table, key, other)}` };
    case "delete all":
      return { text: `delete from ${way}` };
    case "upsert":
      return {
        text: `insert into ${way} (${columnsOf(table)}) values (${rowOf(table, key, other, value)}) on conflict (${keyColumns(table)}) do update set ${set}`,
      };
    case "rekey": {
      const assigned = table.key.map((column, at) => `${column.name} = ${keyLiteral(column.type, at === 0 ? other : value)}`).join(", ");
      return { text: `update ${way} set ${assigned} where ${table.key[0]!.name} = ${keyLiteral(table.key[0]!.type, key)}` };
    }
    case "move":
      return table.partition ? { text: `update ${way} set p = (p + ${1 + (value % 3)}) % 4 where ${where(table, key, other)}` } : null;
    case "set unique": {
      if (!table.unique) return null;
      // swaps two values in one statement where the constraint is deferrable, else moves one
      const text =
        table.spec.unique === "deferrable"
          ? `update ${way} set u = case u when ${key % 3} then ${other % 3} else ${key % 3} end where u in (${key % 3}, ${other % 3})`
          : `update ${way} set u = ${value < 2 ? "null" : other % 4} where ${where(table, key, other)}`;
      return { text };
    }
    case "refer": {
      if (table.refers === null) return null;
      const to = fullKey(table.refers.to);
      const assigned = table.refers.columns.map((name, at) => `${name} = ${keyLiteral(to[at]!.type, other)}`).join(", ");
      return { text: `update ${way} set ${assigned} where ${where(table, key, value)}` };
    }
    case "copy":
      return {
        text: `copy ${way} (${columnsOf(table)}) from stdin`,
        rows: [0, 1].map((at) => expressionsOf(table, key + at, other + at, value + at)),
      };
    case "move rows by cte": {
      const to = tables[other % tables.length]!;
      return {
        text: `with gone as (delete from ${way} where ${where(table, key, other)} returning 1) insert into ${to.sql} (${columnsOf(to)}) select ${rowOf(to, other, key, value)} from gone limit 1`,
      };
    }
    case "truncate":
      return { text: `truncate ${way}` };
    case "truncate cascade":
      return { text: `truncate ${way} cascade` };
  }
}

function columnsOf(table: Table): string {
  return [
    ...table.key.map((column) => column.name),
    ...(table.partition ? ["p"] : []),
    ...table.payload.map((column) => column.name),
    ...(table.unique ? ["u"] : []),
  ].join(", ");
}

function rowOf(table: Table, key: number, other: number, value: number): string {
  return expressionsOf(table, key, other, value).join(", ");
}

function expressionsOf(table: Table, key: number, other: number, value: number): string[] {
  return [
    ...table.key.map((column, at) => keyLiteral(column.type, at === 0 ? key : other)),
    ...(table.partition ? [String((key + other) % 4)] : []),
    ...table.payload.map((column) => payload(column.type, value)),
    ...(table.unique ? [value % 3 === 0 ? "null" : String((key + other) % 4)] : []),
  ];
}

function payload(type: string, at: number): string {
  const { type: sqlType, literals } = payloadTypes[type]!;
  return `(${literals[at % literals.length]!})::${sqlType}`;
}

function keyColumns(table: Table): string {
  return fullKey(table)
    .map((column) => column.name)
    .join(", ");
}

/** Often several rows of a composite key, so that statements with many rows, and with none, come up. */
function where(table: Table, key: number, other: number): string {
  const [first, second] = table.key;
  const begin = `${first!.name} = ${keyLiteral(first!.type, key)}`;
  return second === undefined || other % 2 === 0 ? begin : `${begin} and ${second.name} = ${keyLiteral(second.type, other)}`;
}
