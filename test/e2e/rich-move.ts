import { expect } from "vitest";
import type { Major } from "../harness/binaries.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { runProgram } from "../harness/program.ts";
import { scratch } from "../harness/scratch.ts";
import { startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait.ts";
import { createRichApplication, followed, keyless, richChange } from "./rich-application.ts";

/** Moves an application that has a bit of everything, while it changes, and finds it whole on the other side. */
export async function moveRichApplication(from: Major, to: Major): Promise<void> {
  await using home = await scratch();
  await using older = await startServer({ major: from });
  await using younger = await startServer({ major: to });
  await using old = await createDatabase(older, { name: "app" });
  await using young = await createDatabase(younger, { name: "app" });
  await old.query("create role app_owner login; create role app_reader");
  await createRichApplication(old, from);
  await old.query("alter table public.customer owner to app_owner; grant select on public.customer to app_reader");
  const migrate = async (line: string): Promise<string> => {
    const { code, stdout, stderr } = await runProgram(["migrate", ...line.split(" ")], {
      cwd: home.path,
      env: { BUCARDO_FROM: old.url, BUCARDO_TO: young.url },
      timeoutMs: 120_000,
    });
    expect({ line, code, stderr, ...(code === 0 ? {} : { stdout }) }).toEqual({ line, code: 0, stderr: "" });
    return stdout;
  };
  await migrate("plan");
  let turns = 0;
  {
    await using change = keepChanging(old, () => richChange(turns++, from));
    await migrate("start --jobs=2");
    await change.more(30);
    expect(await migrate("cutover --yes --budget=60")).toContain("Switched:");
  }
  expect(turns).toBeGreaterThan(30);
  expect(await equalTables(old, young, [...followed, ...keyless])).toEqual([]);
  expect(await describe(young)).toEqual(await describe(old));
  // Sequences go on beyond what the old side gave out.
  const [mine, theirs] = [await lastTicket(old), await lastTicket(young)];
  expect(theirs).toBeGreaterThan(mine);
  expect(await young.query("select md5(lo_get(4711)) as sum")).toEqual(await old.query("select md5(lo_get(4711)) as sum"));
  const { tables } = JSON.parse(await migrate("finish --yes --json")) as { tables: { table: string; compared: { hash: string } | null }[] };
  const hashed = tables.filter(({ compared }) => /^[0-9a-f]{16}$/.test(compared?.hash ?? ""));
  // Members of an inheritance come with their parent; those without key are copied while writers wait.
  expect(hashed.map(({ table }) => table).toSorted()).toEqual(
    tables
      .map(({ table }) => table)
      .filter((table) => !(keyless as readonly string[]).includes(table))
      .toSorted(),
  );
}

async function lastTicket(database: TestDatabase): Promise<number> {
  return Number((await database.one<{ last: string }>("select last_value::text as last from public.ticket")).last);
}

/** What there is beside rows, without ours. */
async function describe(database: TestDatabase): Promise<unknown[]> {
  return database.query(
    `
    select 'relation ' || c.relkind::text as kind, c.oid::regclass::text as name, pg_get_userbyid(c.relowner)::text as detail from pg_class c
     where c.relnamespace::regnamespace::text !~ '^(pg_|information_schema|bucardo)' and c.relkind <> 'c'
    union all select 'index', indexrelid::regclass::text, indisvalid::text from pg_index where indrelid >= 16384 and indrelid::regclass::text !~ '^(bucardo|pg_toast)'
    union all select 'constraint ' || contype::text, conname || ' on ' || conrelid::regclass, convalidated::text from pg_constraint
     where conrelid >= 16384 and contype in ('p', 'u', 'f', 'x', 'c') and conrelid::regclass::text !~ '^bucardo'
    union all select 'trigger', tgname || ' on ' || tgrelid::regclass, tgenabled::text from pg_trigger where not tgisinternal and tgname !~ '^bucardo'
    union all select 'policy', polname || ' on ' || polrelid::regclass, '' from pg_policy
    union all select 'comment', objoid::regclass::text, description from pg_description where classoid = 'pg_class'::regclass and objoid >= 16384 and objsubid = 0
    union all select 'statistics', stxname::text, '' from pg_statistic_ext
    union all select 'matview', oid::regclass::text, relispopulated::text from pg_class where relkind = 'm'
    union all select 'extension', extname::text, '' from pg_extension
    union all select 'grant', grantee::text, table_name::text || ' ' || privilege_type from information_schema.role_table_grants where grantee in ('app_reader', 'app_owner')
    order by 1, 2, 3`,
  );
}

/** SQLSTATE with which a closed side refuses writes. */
const FENCED = "BU001";

export type Changing = AsyncDisposable & { more(changes: number): Promise<void> };

/** One client that makes a change after the other until it is refused or told to stop. */
export function keepChanging(database: TestDatabase, next: () => string): Changing {
  const end = new AbortController();
  let done = 0;
  const work = (async () => {
    const client = await database.client();
    while (!end.signal.aborted) {
      try {
        await client.query(next());
      } catch (error) {
        if ((error as { code?: string }).code === FENCED) break;
        throw error;
      }
      done++;
    }
  })();
  // Told by whoever waits for it.
  work.catch(() => undefined);
  return {
    async more(changes) {
      const goal = done + changes;
      await Promise.race([waitFor(() => done >= goal, { what: `${changes} more changes` }), work]);
    },
    async [Symbol.asyncDispose]() {
      end.abort();
      await work;
    },
  };
}
