import type { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { SchemaObject } from "./object.ts";

/** Schema, table, object, function, column exist; a table has two primary keys. */
const duplicate = new Set(["42P06", "42P07", "42710", "42723", "42701", "42P16"]);

/**
 * True when the failure says that an earlier attempt made the object, committed, and ended before it was remembered. As every object is one transaction,
 * it is there wholly then.
 */
export async function existsAlready(session: Session, object: SchemaObject, error: BucardoError): Promise<boolean> {
  const { sqlstate = "", table = "" } = error.details;
  if (duplicate.has(sqlstate)) return true;
  // Some kinds have no message of their own for it: the catalogue's index complains.
  if (sqlstate === "23505" && table.startsWith("pg_catalog.")) return true;
  if (object.schema === null) return false;
  // Two statements that complain in their own ways when they are repeated.
  if (object.kind === "SEQUENCE" && sqlstate === "55000") return isSequence(session, object.schema, object.name);
  if (object.kind === "TABLE ATTACH" && sqlstate === "42809") return isPartition(session, object.schema, object.name);
  return false;
}

async function isSequence(session: Session, schema: string, name: string): Promise<boolean> {
  return exists(session, "c.relkind = 'S'", schema, name);
}

async function isPartition(session: Session, schema: string, name: string): Promise<boolean> {
  return exists(session, "c.relispartition", schema, name);
}

async function exists(session: Session, condition: string, schema: string, name: string): Promise<boolean> {
  const { found } = await session.one<{ found: boolean }>(
    sql(
      "schema.exists",
      `select exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                       where n.nspname = $1 and c.relname = $2 and ${condition}) as found`,
      [schema, name],
    ),
  );
  return found;
}
