import { writeFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { Major } from "../harness/binaries.ts";
import { copyRows } from "../harness/copy-rows.ts";
import { createDatabase, onServer } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { createPgbench, fillPgbench, pgbenchTables } from "../harness/pgbench.ts";
import { runProgram } from "../harness/program.ts";
import { scratch } from "../harness/scratch.ts";
import { startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait.ts";
import { writers } from "../harness/writers.ts";

/** "Migrating Postgres with Bucardo 4", line by line; only ports differ, and the tables have pgbench's names of today. */
export async function walkArticle(from: Major, to: Major): Promise<void> {
  await using home = await scratch();
  await using old = await startServer({ major: from });
  await using young = await startServer({ major: to });
  await onServer(old, (admin) => admin.query("create user bucardo superuser"));
  await using source = await createDatabase(old, { name: "alpha" });
  const filling = await source.client();
  await createPgbench(filling);
  await fillPgbench(filling, 1);
  await filling.end();
  // pg_dumpall --schema-only -p 5555 | psql -p 5566 -f -
  await onServer(young, (admin) => admin.query("create user bucardo superuser"));
  await using target = await createDatabase(young, { name: "alpha" });
  await createPgbench(await target.client());

  const bucardo = async (line: string): Promise<string> => {
    const { code, stdout, stderr } = await runProgram(line.split(" "), {
      cwd: home.path,
      program: "bucardo_ctl",
      env: { PGHOST: old.host },
    });
    expect({ line, code, stderr }).toEqual({ line, code: 0, stderr: "" });
    return stdout;
  };
  await using clients = writers(source, { clients: 4, kind: "pgbench", pauseMs: 5 });

  await mkdir(join(home.path, "bctest"));
  expect(await bucardo(`install --dbport=${young.port} --piddir=${join(home.path, "bctest")}`)).toContain("Installation is now complete.");
  await writeFile(join(home.path, ".bucardorc"), `dbport=${young.port}\n`);
  expect(await bucardo(`add db alpha name=oldalpha port=${old.port}`)).toBe("Database added: oldalpha\n");
  expect(await bucardo(`add db alpha name=newalpha port=${young.port}`)).toBe("Database added: newalpha\n");
  const added = await bucardo("add sync pepper type=pushdelta source=oldalpha targetdb=newalpha tables=pgbench_accounts ping=false");
  expect(added).toBe("Table added: public.pgbench_accounts\nSync added: pepper\n");

  await clients.more(50);
  // pg_dump alpha -p 5555 --data-only -t accounts | psql -p 5566 -d alpha -f -
  expect(await copyRows(source, target, "public.pgbench_accounts")).toBe(100_000);
  await clients.more(50);

  expect(await bucardo("start")).toContain("running");
  try {
    expect(await bucardo("status pepper")).toContain("pepper");
    expect(await bucardo("kick pepper 0")).toContain("DONE!");
    await clients.more(50);
    await bucardo("kick pepper 0");

    await clients.stop();
    await bucardo("kick pepper 0");
    expect(await equalTables(source, target, ["public.pgbench_accounts"])).toEqual([]);
    // pg_dump alpha -p 5555 --data-only -T accounts -N bucardo | psql -p 5566 -d alpha -f -
    for (const table of pgbenchTables.filter((name) => name !== "public.pgbench_accounts")) await copyRows(source, target, table);
    expect(await equalTables(source, target, pgbenchTables)).toEqual([]);
    expect(
      await target.query("select nspname from pg_namespace where nspname = 'bucardo' union all select tgname from pg_trigger"),
    ).toEqual([]);
  } finally {
    await bucardo("stop");
  }
  expect(clients.commits).toBeGreaterThan(150);
  await bucardo("remove sync pepper");
  expect(await source.query("select nspname from pg_namespace where nspname = 'bucardo' union all select tgname from pg_trigger")).toEqual(
    [],
  );
  await waitFor(async () => (await source.query("select from pg_stat_activity where usename = 'bucardo'")).length === 0, {
    what: "our sessions to end",
  });
}
