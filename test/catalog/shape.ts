import type { Column } from "../../src/catalog/column.ts";
import type { Key } from "../../src/catalog/key.ts";
import type { TableShape } from "../../src/catalog/table.ts";

/** Shapes for unit tests: everything ordinary, except what is said. */

export function column(name: string, type: string, more: Partial<Column> = {}): Column {
  return {
    name,
    number: 1,
    type,
    typeOid: 0,
    typeKind: "b",
    baseType: type,
    baseTypeOid: 0,
    elementTypeOid: type.endsWith("[]") ? 1 : 0,
    shapeKind: "b",
    portableType: more.baseType ?? type,
    caseLanguage: null,
    enumLabels: null,
    fields: null,
    length: type === "integer" ? 4 : type === "bigint" ? 8 : -1,
    collation: null,
    collationDeterministic: true,
    notNull: false,
    defaultExpression: null,
    identity: "",
    generated: "",
    ...more,
  };
}

export function key(name: string, columns: readonly string[], more: Partial<Key> = {}): Key {
  return { name, columns, primary: false, deferrable: false, valid: true, nullsNotDistinct: false, onRoot: true, ...more };
}

export function table(columns: readonly Column[], keys: readonly Key[], more: Partial<TableShape> = {}): TableShape {
  return {
    schema: "public",
    name: "t",
    oid: 1,
    kind: "plain",
    persistence: "p",
    owner: "app",
    columns,
    keys,
    leaves: [{ oid: 1, name: { schema: "public", name: "t" }, bound: null, portableBound: true, filenode: 1, attributeXmin: "" }],
    branches: [],
    inheritanceParents: [],
    inheritanceChildren: [],
    triggers: [],
    rules: [],
    foreignKeys: [],
    constraints: [],
    rowSecurity: false,
    privileges: {
      user: "us",
      schemaUsage: true,
      select: true,
      insert: true,
      update: true,
      delete: true,
      truncate: true,
      trigger: true,
      owner: false,
    },
    withoutTrigger: [],
    foreignLeaves: [],
    signature: "",
    ...more,
  };
}
