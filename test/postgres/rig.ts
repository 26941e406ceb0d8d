import { connect, type ConnectOptions } from "../../src/postgres/connect.ts";
import type { Session } from "../../src/postgres/session.ts";
import { sql } from "../../src/postgres/sql.ts";
import { createDatabase, type DatabaseOptions, type TestDatabase } from "../harness/database.ts";
import type { ServerAddress } from "../harness/server.ts";

/** A session of ours to a test's database. */
export function sessionTo(database: TestDatabase, options: Partial<ConnectOptions> = {}): Promise<Session> {
  const { host, port, user } = database.connection;
  return connect({ name: "db", host, port, user, dbname: database.name, ...options });
}

/** Something with which to end what a test opened, last first. */
export async function openDatabase(
  server: ServerAddress,
  options: DatabaseOptions & { readonly session?: Partial<ConnectOptions> } = {},
): Promise<{ readonly database: TestDatabase; readonly session: Session } & AsyncDisposable> {
  const database = await createDatabase(server, options);
  try {
    const session = await sessionTo(database, options.session);
    return {
      database,
      session,
      async [Symbol.asyncDispose]() {
        await session.close();
        await database[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

/** Shows that a session can be used: its next statement answers. */
export async function answers(session: Session): Promise<boolean> {
  return (await session.one<{ n: number }>(sql("test.answers", "select 4711 as n"))).n === 4711;
}
