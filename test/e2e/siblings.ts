import { expect } from "vitest";
import { Disposer } from "../../src/base/disposer.ts";
import { createDatabase, onServer, type TestDatabase } from "../harness/database.ts";
import { runProgram } from "../harness/program.ts";
import { scratch } from "../harness/scratch.ts";
import { startServer, urlOf } from "../harness/server.ts";

/** Databases of one server that speak of the same roles, and an empty server to which each moves by itself. */
export async function openSiblings(names: readonly string[]) {
  const stack = new Disposer();
  const home = stack.use(await scratch());
  const older = stack.use(await startServer({ major: 13 }));
  const younger = stack.use(await startServer({ major: 18 }));
  await onServer(older, (admin) =>
    admin.query(
      "create role owner_of_all login password 'secret' connection limit 5; create role readers; create role quiet login; grant readers to owner_of_all",
    ),
  );
  const olds: TestDatabase[] = [];
  for (const name of names) {
    const old = stack.use(await createDatabase(older, { name }));
    await old.query(`create table t (id serial primary key, v text); insert into t (v) select '${name}' from generate_series(1, 2000);
      alter table t owner to owner_of_all; grant select on t to readers`);
    olds.push(old);
  }
  const list = (text: string): Promise<string[]> =>
    onServer(younger, async (admin) => (await admin.query<{ name: string }>(text)).rows.map(({ name }) => name));
  return {
    olds,
    younger,
    /** Of the new server, but for those that every server has. */
    roles: () => list("select rolname as name from pg_roles where rolname !~ '^(pg_|postgres$)' order by 1"),
    /** How many roles and memberships the move of that database has made, and did not find. */
    async made(name: string): Promise<number> {
      const old = olds[names.indexOf(name)]!;
      const text = "select object from bucardo.migration_object where object ~ '^(ROLE|MEMBERSHIP) ' and outcome = 'done' and note is null";
      return (await old.query(text)).length;
    },
    databases: () => list("select datname as name from pg_database where not datistemplate and datname <> 'postgres' order by 1"),
    async run(name: string, line: string): Promise<string> {
      const { code, stdout, stderr } = await runProgram(["migrate", ...line.split(" ")], {
        cwd: home.path,
        env: { BUCARDO_FROM: urlOf(older, name), BUCARDO_TO: urlOf(younger, name) },
        timeoutMs: 120_000,
      });
      expect({ name, line, code, ...(code === 0 ? {} : { stdout, stderr }) }).toEqual({ name, line, code: 0 });
      return stderr;
    },
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}
