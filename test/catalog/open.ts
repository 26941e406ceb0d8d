import { readTables, type TableShape } from "../../src/catalog/table.ts";
import { displayName } from "../../src/model/name.ts";
import { connect } from "../../src/postgres/connect.ts";
import type { Session } from "../../src/postgres/session.ts";
import { createDatabase, type DatabaseOptions, type TestDatabase } from "../harness/database.ts";
import type { Major } from "../harness/binaries.ts";
import { sharedServer } from "../harness/shared-server.ts";

/** A database of a test with a session of the product on it; both end with it. */
export type Opened = AsyncDisposable & { readonly database: TestDatabase; readonly session: Session };

export async function openDatabase(major: Major, ddl = "", options: DatabaseOptions = {}): Promise<Opened> {
  const database = await createDatabase(await sharedServer(major), options);
  if (ddl !== "") await database.query(ddl);
  const session = await openSession(database);
  return {
    database,
    session,
    async [Symbol.asyncDispose]() {
      await session.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

export function openSession(database: TestDatabase, user?: string): Promise<Session> {
  const { host, port, user: superuser, database: dbname } = database.connection;
  return connect({ name: `pg${database.server.major}`, host, port, dbname, user: user ?? superuser });
}

/** The shape of a table that must exist. */
export async function readTable(session: Session, name: string, schema = "public"): Promise<TableShape> {
  const shape = (await readTables(session, [{ schema, name }])).get(displayName({ schema, name }));
  if (shape === undefined) throw new Error(`${name} was not found`);
  return shape;
}
