import type { Major } from "../harness/binaries.ts";
import { createDatabase, type DatabaseOptions, type TestDatabase } from "../harness/database.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { connect, type ConnectOptions } from "../../src/postgres/connect.ts";
import type { Session } from "../../src/postgres/session.ts";
import { dumpSchema, type DumpRequest, type SchemaDump } from "../../src/schema/dump.ts";
import { stages, type SchemaObject } from "../../src/schema/object.ts";
import { restoreStage, type RestoreOptions, type RestoreReport } from "../../src/schema/restore.ts";

export type Side = { readonly database: TestDatabase; readonly options: ConnectOptions; readonly session: Session } & AsyncDisposable;

/** A database of the test's own with a session of the product on it. */
export async function side(name: string, major: Major, options: DatabaseOptions = {}): Promise<Side> {
  return sideOf(name, await createDatabase(await sharedServer(major), options));
}

export async function sideOf(name: string, database: TestDatabase): Promise<Side> {
  const options = { name, url: database.url };
  const session = await connect(options);
  return {
    database,
    options,
    session,
    async [Symbol.asyncDispose]() {
      await session.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

export const never = new AbortController().signal;

export function dump(from: Side, targetVersion: number, request: Partial<DumpRequest> = {}): Promise<SchemaDump> {
  return dumpSchema({ source: from.options, session: from.session, targetVersion, signal: never, ...request });
}

/** All stages, or those given. */
export async function restoreAll(
  to: Side,
  objects: readonly SchemaObject[],
  options: Partial<RestoreOptions> = {},
  only: readonly string[] = stages,
): Promise<RestoreReport[]> {
  const reports: RestoreReport[] = [];
  for (const stage of stages.filter((each) => only.includes(each)))
    reports.push(await restoreStage(to.options, objects, { jobs: 2, signal: never, ...options, stage }));
  return reports;
}

export function failuresOf(reports: readonly RestoreReport[]): string[] {
  return reports.flatMap(({ failed }) => failed.map(({ object, error }) => `${object.id}: ${error.message}`));
}

/** What two dumps must have in common, as texts by id; not the names that 18 gives to NOT NULL. */
export function textsOf({ objects }: SchemaDump): Record<string, string> {
  return Object.fromEntries(
    objects.map(({ id, statements, stage }) => [
      id,
      `${stage}: ${statements.join(";\n").replaceAll(/CONSTRAINT \w+ NOT NULL/g, "NOT NULL")}`,
    ]),
  );
}
