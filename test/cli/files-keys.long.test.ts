import { join } from "node:path";
import { expect, test } from "vitest";
import { equalTables } from "../harness/equal-tables.ts";
import { keyCases } from "../replicate/key-case.ts";
import { startDaemon } from "./daemon.ts";
import { Loader } from "./file-site.ts";
import { openSite } from "./site.ts";

const MAJOR = 15;

test("files for psql find their rows by keys of every type", async () => {
  const cases = keyCases.filter(({ since = 0 }) => since <= MAJOR);
  const tables = cases.map(({ name }) => `key_${name}`);
  const schema = cases
    .map(({ name, type, setup = "" }) => `${setup}; create table key_${name} (k ${type} primary key, n integer)`)
    .join(";\n");
  await using site = await openSite({ majors: [MAJOR, MAJOR], schema });
  const [source, target] = site.databases;
  for (const { name, values } of cases)
    for (const [n, value] of values.entries()) await source!.query(`insert into key_${name} values (${value}, ${n})`);
  const files = await Loader.make(join(site.home, "files"), target!);
  await site.ok("add db A $A");
  await site.ok(`add db F type=flatpg dir=${files.directory}`);
  await site.ok("add table key_% db=A relgroup=keys");
  await site.ok("add sync keys relgroup=keys dbs=A:source,F:target onetimecopy=1 autokick=off");
  await using _daemon = await startDaemon(site);
  await site.ok("kick keys 0");
  await files.load({ twice: true });
  expect(await equalTables(source!, target!, tables)).toEqual([]);

  for (const { name, lookalike } of cases) {
    await source!.query(`delete from key_${name} where n % 2 = 1; update key_${name} set n = n + 100`);
    if (lookalike !== undefined) await source!.query(`update key_${name} set k = ${lookalike} where n = 100`);
  }
  await site.ok("kick keys 0");
  expect(await files.load({ twice: true })).toHaveLength(1);
  expect(await equalTables(source!, target!, tables)).toEqual([]);
});
