import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createDatabase } from "../harness/database.ts";
import { createPgbench } from "../harness/pgbench.ts";
import { scratch } from "../harness/scratch.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { line } from "./line.ts";

// proves: 6.2/add-sync-4, 6.4/programs, 6.4/messages
test("the article's lines, from install to add sync", async () => {
  await using home = await scratch();
  const [old, young] = [await sharedServer(12), await sharedServer(18)];
  await using source = await createDatabase(old);
  await using target = await createDatabase(young);
  await using control = await createDatabase(young);
  for (const database of [source, target]) await createPgbench(await database.client());
  const run = (text: string, typed?: string) =>
    line(text.split(" "), { home: home.path, program: "bucardo_ctl", ...(typed === undefined ? {} : { typed }) });

  const installed = await run(
    `install --dbhost=${young.host} --dbport=${young.port} --dbuser=postgres --dbname=${control.name} --piddir=${join(home.path, "pid")}`,
    "P\n",
  );
  expect(installed).toMatchObject({ code: 0, err: "" });
  expect(installed.out).toContain("Installation is now complete.");
  await writeFile(join(home.path, ".bucardorc"), `dbhost=${young.host}\ndbport=${young.port}\ndbname=${control.name}\ndbuser=postgres\n`);

  const alpha = await run(`add db ${source.name} name=oldalpha host=${old.host} port=${old.port} user=postgres`);
  expect(alpha).toEqual({ code: 0, out: "Database added: oldalpha\n", err: "" });
  const beta = await run(`add db ${target.name} name=newalpha host=${young.host} port=${young.port} user=postgres`);
  expect(beta).toEqual({ code: 0, out: "Database added: newalpha\n", err: "" });
  const sync = await run("add sync pepper type=pushdelta source=oldalpha targetdb=newalpha tables=pgbench_accounts ping=false");
  expect(sync).toEqual({ code: 0, out: "Table added: public.pgbench_accounts\nSync added: pepper\n", err: "" });

  const { triggers } = await source.one<{ triggers: number }>(
    "select count(*)::int as triggers from pg_trigger where not tgisinternal and tgrelid = 'pgbench_accounts'::regclass",
  );
  expect(triggers).toBeGreaterThan(0);
  expect(await target.query("select from pg_namespace where nspname = 'bucardo'")).toEqual([]);
});
