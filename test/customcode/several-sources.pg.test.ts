import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { equalTables } from "../harness/equal-tables.ts";
import { waitFor } from "../harness/wait.ts";
import { openCodeSite } from "./site.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/custom-code/", import.meta.url));

// proves: 6.3/exception, 6.2/customcode
test("employee and supplies with two sources: each side keeps the newest of one e-mail, losers move aside where they were made, and both end up equal", async () => {
  const schema = await readFile(join(EXAMPLES, "keep-newest.sql"), "utf8");
  await using site = await openCodeSite({ majors: [15, 15], schema }, "tables=employee,supplies dbs=A:source,B:source");
  const [a, b] = [site.databases[0]!, site.databases[1]!];
  const carried = () =>
    waitFor(
      async () => {
        await site.kick();
        return (await equalTables(a, b, ["employee", "supplies"])).length === 0;
      },
      { what: "both sides to be equal" },
    );
  await a.query("insert into employee values (1, 'ann@x', 'Ann', '2026-01-01'); insert into supplies values (10, 1, 'desk')");
  await carried();
  await cp(join(EXAMPLES, "keep-newest.ts"), join(site.home, "keep-newest.ts"));
  await site.ok("add customcode keep_newest whenrun=exception src_code=keep-newest.ts table=employee");
  await a.query(`insert into employee values (2, 'ben@x', 'Ben of A', '2026-03-01'), (3, 'cleo@x', 'Cleo of A', '2026-03-01');
    insert into supplies values (20, 2, 'chair'), (30, 3, 'lamp')`);
  await b.query(`insert into employee values (102, 'ben@x', 'Ben of B', '2026-02-01'), (103, 'cleo@x', 'Cleo of B', '2026-04-01');
    insert into supplies values (120, 102, 'pen'), (130, 103, 'cup')`);
  await carried();
  for (const database of [a, b]) {
    expect(await database.query("select id, name from employee order by id")).toEqual([
      { id: 1, name: "Ann" },
      { id: 2, name: "Ben of A" },
      { id: 103, name: "Cleo of B" },
    ]);
    expect(await database.query("select id, employee from supplies order by id")).toEqual([
      { id: 10, employee: 1 },
      { id: 20, employee: 2 },
      { id: 130, employee: 103 },
    ]);
  }
  expect(await a.query("select id from employee_lost")).toEqual([{ id: 3 }]);
  expect(await a.query("select id from supplies_lost")).toEqual([{ id: 30 }]);
  expect(await b.query("select id from employee_lost")).toEqual([{ id: 102 }]);
  expect(await b.query("select id from supplies_lost")).toEqual([{ id: 120 }]);
});

// proves: 6.3/conflict-custom
test("code decides conflicts: per row, for a table, for the sync, and for good; what it leaves open is the strategy's", async () => {
  const schema =
    "create table item (id integer primary key, score integer, name text); create table other (id integer primary key, name text)";
  await using site = await openCodeSite({ majors: [15, 15], schema }, "tables=item,other dbs=A:source,B:source conflict_strategy=B");
  const [a, b] = [site.databases[0]!, site.databases[1]!];
  const carried = () =>
    waitFor(
      async () => {
        await site.kick();
        return (await equalTables(a, b, ["item", "other"])).length === 0;
      },
      { what: "both sides to be equal" },
    );
  /** All rows changed on both sides: scores as given, names as the side. */
  const clash = async (scores: readonly (readonly [number, number])[]) => {
    for (const [index, [ofA, ofB]] of scores.entries()) {
      await a.query("update item set score = $2, name = 'A' where id = $1", [index + 1, ofA]);
      await b.query("update item set score = $2, name = 'B' where id = $1", [index + 1, ofB]);
    }
    await a.query("update other set name = 'A'");
    await b.query("update other set name = 'B'");
    await carried();
    const items = await b.query<{ name: string }>("select name from item order by id");
    const [other] = await b.query<{ name: string }>("select name from other");
    return `${items.map(({ name }) => name).join("")} ${other!.name}`;
  };
  await a.query("insert into item select n, 0, 'first' from generate_series(1, 3) n; insert into other values (1, 'first')");
  await carried();

  const highest = `export default async (input) => {
    const rows = await input.images();
    for (const [index, { key, incoming, local }] of input.details.entries()) {
      if (rows[index].incoming.score > rows[index].local.score) input.conflicts[key[0]] = incoming.db;
      if (rows[index].incoming.score < rows[index].local.score) input.conflicts[key[0]] = local.db;
    }
    input.message = input.tablename + " " + input.keycolumns + " " + input.sources;
  };`;
  await site.add("highest", "conflict", highest, "table=item");
  expect(await clash([[5, 1], [1, 5], [3, 3]])).toBe("ABB B"); // prettier-ignore
  expect(site.log.join("\n")).toContain("item id A,B");
  await site.forget();

  await site.add("table", "conflict", "export default ({ tablename }) => (tablename === 'item' ? { tablewinner: 'A' } : { skip: true });");
  expect(await clash([[0, 1], [0, 1], [0, 1]])).toBe("AAA B"); // prettier-ignore
  await site.forget();

  await site.add(
    "always",
    "conflict",
    "export default ({ shared }) => ((shared.n = (shared.n ?? 0) + 1), { syncwinner_always: ['A'], message: 'asked ' + shared.n });",
  );
  expect(await clash([[0, 1], [0, 1], [0, 1]])).toBe("AAA A"); // prettier-ignore
  expect(await clash([[1, 2], [1, 2], [1, 2]])).toBe("AAA A"); // prettier-ignore
  expect(site.log.join("\n")).toContain("asked 1");
  expect(site.log.join("\n")).not.toContain("asked 2");
});
