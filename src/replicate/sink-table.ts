import { readKeysOf } from "../capture/key-column.ts";
import { readTables } from "../catalog/table.ts";
import { applyTerms, type TermedTable } from "../catalog/terms.ts";
import { BucardoError, type Problem } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import type { BatchTable, RunDefinition } from "./definition.ts";
import { nameThere } from "./plan.ts";
import type { SinkTable } from "./sink.ts";
import type { LinkColumn, TableLink } from "./table-link.ts";

/** A table on its way to a sink: how it is read here, and what it is there. */
export type SinkLink = { readonly link: TableLink; readonly there: SinkTable };

/**
 * What the tables of a run are to the sink: nothing but what the source and the terms of the sync say. By captured table. Errors: run-void when one vanished,
 * schema-mismatch with all problems of the terms in one report.
 */
export async function describeTables(
  source: Session,
  { sync }: RunDefinition,
  tables: readonly BatchTable[],
): Promise<Map<number, SinkLink>> {
  const names = tables.map(({ name }) => name);
  const shapes = await readTables(source, names, { bounds: false });
  const found: { readonly table: BatchTable; readonly termed: TermedTable }[] = [];
  const problems: Problem[] = [];
  for (const table of tables) {
    const name = displayName(table.name);
    const shape = shapes.get(name);
    if (shape === undefined) throw new BucardoError("run-void", `${name} vanished during the run`, { table: name });
    const { table: termed, problems: own } = await applyTerms(source, shape, table.keyColumns, table.terms);
    problems.push(...own);
    found.push({ table, termed });
  }
  const [first] = problems;
  if (first !== undefined)
    throw new BucardoError("schema-mismatch", first.what, {
      db: source.name,
      sync: sync.name,
      ...(first.table !== undefined && { table: first.table }),
      advice: first.remedy,
      problems,
    });
  const keys = await readKeysOf(
    source,
    found.map(({ table, termed }) => ({ oid: termed.shape.oid, columns: table.keyColumns })),
  );
  return new Map(found.map(({ table, termed }, index) => [table.captured, linkOf(table, termed, keys[index]!)]));
}

function linkOf(table: BatchTable, { shape, key, from }: TermedTable, own: TableLink["source"]["key"]): SinkLink {
  const name = nameThere(table);
  const partitioned = shape.kind === "partitioned";
  const columns = shape.columns.filter((column) => column.generated === "" || key.includes(column.name));
  const written = columns.filter((column) => column.generated === "");
  return {
    link: {
      name: table.name,
      source: { partitioned, key: own, from },
      target: { name, partitioned, key: own },
      columns: columns.map((column): LinkColumn => {
        const position = key.indexOf(column.name);
        const isWritten = column.generated === "";
        return {
          name: column.name,
          stageType: column.baseType,
          keyPosition: position === -1 ? null : position,
          written: isWritten,
          settable: isWritten,
        };
      }),
      binary: false,
      strategy: "replace",
      relays: [],
      refersTo: [],
      awake: [],
    },
    there: {
      ...name,
      key: key.map((column, index) => ({
        name: column,
        type: columns.find((each) => each.name === column)!.baseType,
        own: own[index]!,
      })),
      columns: written.map((column) => ({ name: column.name, type: column.baseType, alwaysIdentity: column.identity === "a" })),
      parent: !partitioned && shape.inheritanceChildren.length > 0,
    },
  };
}
