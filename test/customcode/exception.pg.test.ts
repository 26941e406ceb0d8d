import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { equalTables } from "../harness/equal-tables.ts";
import { waitFor } from "../harness/wait.ts";
import { openCodeSite } from "./site.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/custom-code/", import.meta.url));

// proves: 6.3/exception, 6.3/employee-supplies, 6.2/customcode
test("employee and supplies: the newest of one e-mail stays, the other moves aside with its supplies, and the sync completes", async () => {
  const schema = await readFile(join(EXAMPLES, "keep-newest.sql"), "utf8");
  await using site = await openCodeSite({ majors: [15, 15], schema }, "tables=employee,supplies dbs=A:source,B:target");
  const [source, target] = [site.databases[0]!, site.databases[1]!];
  await source.query("insert into employee values (1, 'ann@x', 'Ann', '2026-01-01'); insert into supplies values (10, 1, 'desk')");
  expect(await site.kick()).toMatchObject({ code: 0 });

  // Both sides took ben@x and cleo@x; ben is newer on the source, cleo on the target.
  await source.query(`insert into employee values (2, 'ben@x', 'Ben of A', '2026-03-01'), (3, 'cleo@x', 'Cleo of A', '2026-03-01');
    insert into supplies values (20, 2, 'chair'), (30, 3, 'lamp')`);
  await target.query(`insert into employee values (102, 'ben@x', 'Ben of B', '2026-02-01'), (103, 'cleo@x', 'Cleo of B', '2026-04-01');
    insert into supplies values (120, 102, 'pen'), (130, 103, 'cup')`);
  const refused = await site.kick();
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.text).toContain("employee_email_key");

  await cp(join(EXAMPLES, "keep-newest.ts"), join(site.home, "keep-newest.ts"));
  await site.ok("add customcode keep_newest whenrun=exception src_code=keep-newest.ts sync=s");
  expect(await site.kick()).toMatchObject({ code: 0 });
  const people = "select id, name from employee order by id";
  expect(await target.query(people)).toEqual([
    { id: 1, name: "Ann" },
    { id: 2, name: "Ben of A" },
    { id: 103, name: "Cleo of B" },
  ]);
  expect(await target.query("select id, employee from supplies order by id")).toEqual([
    { id: 10, employee: 1 },
    { id: 20, employee: 2 },
    { id: 130, employee: 103 },
  ]);
  expect(await target.query("select id from employee_lost")).toEqual([{ id: 102 }]);
  expect(await target.query("select id, employee from supplies_lost")).toEqual([{ id: 120, employee: 102 }]);
  expect(await source.query("select id from employee order by id")).toEqual([{ id: 1 }, { id: 2 }]);
  expect(await source.query("select id from employee_lost")).toEqual([{ id: 3 }]);
  expect(await source.query("select id, employee from supplies_lost")).toEqual([{ id: 30, employee: 3 }]);
  expect(site.log.join("\n")).not.toContain("ben@x");
});

// proves: 6.3/exception
test("handlers are asked in order until one says retry, at most twice; without retry the row's own policy holds", async () => {
  const schema =
    "create table item (id integer primary key, name text check (name <> 'bad'), other integer); create table trace (what text)";
  await using site = await openCodeSite(
    { majors: [15, 15], schema },
    "tables=item dbs=A:source,B:target strict_checking=off on_error=set_aside",
  );
  const [source, target] = [site.databases[0]!, site.databases[1]!];
  await source.query("alter table item drop constraint item_name_check");
  const says = (what: string, more = "") => `
    export default async ({ shared, attempts, tablename, sqlstate, constraint, incoming, dbh, dbname }) => {
      shared.asked = [...(shared.asked ?? []), "${what}" + attempts];
      const rows = await dbh[dbname].query("select id, name from " + incoming + " order by id");
      const message = ["asked", shared.asked, tablename, sqlstate, constraint, JSON.stringify(rows.map((row) => row.id))].join(" ");
      ${more}
      return { message };
    };`;
  await site.add("shrugs", "exception", says("shrugs", "return { message, skip: true };"), "table=item priority=1");
  await site.add("tries", "exception", says("tries", "return { message, retry: true };"), "table=item priority=2");
  await site.add("late", "exception", says("late"), "table=item priority=3");
  await source.query("insert into item values (1, 'good', 0), (2, 'bad', 0)");
  expect(await site.kick()).toMatchObject({ code: 0 });
  const asked = site.log.flatMap((line) => /asked (?:shrugs|tries).*\]/.exec(line)?.[0] ?? []);
  expect(asked).toEqual([
    "asked shrugs1 item 23514 item_name_check [1,2]",
    "asked shrugs1,tries1 item 23514 item_name_check [1,2]",
    "asked shrugs1,tries1,shrugs2 item 23514 item_name_check [1,2]",
    "asked shrugs1,tries1,shrugs2,tries2 item 23514 item_name_check [1,2]",
  ]);
  expect(await target.query("select id from item")).toEqual([{ id: 1 }]);
  expect(await site.ok("list set-aside s")).toContain("item");

  // Mended by the handler on the source: the row travels as it is then.
  await site.forget();
  await site.add("mends", "exception", "update item set name = 'mended' where name = 'bad'", "table=item db=A");
  await source.query("update item set other = 1 where id = 2");
  expect(await site.kick()).toMatchObject({ code: 0 });
  expect(await target.query("select id, name from item order by id")).toEqual([
    { id: 1, name: "good" },
    { id: 2, name: "mended" },
  ]);
  expect(await site.ok("list set-aside s")).not.toContain("item");
});

test("what code changes is captured: on a source for this sync, on a target that is a source of another sync for that one; triggers fire", async () => {
  const schema = "create table item (id integer primary key, name text); create table heard (name text)";
  await using site = await openCodeSite({ majors: [15, 15, 15], schema }, "tables=item dbs=A:source,B:target");
  const [a, b, c] = [site.databases[0]!, site.databases[1]!, site.databases[2]!];
  await site.ok("add sync onward tables=item dbs=B:source,C:target");
  await b.query(`create function hear() returns trigger language plpgsql as $$ begin insert into heard values (new.name); return null; end $$;
    create trigger hear after insert on item for each row execute function hear()`);
  const text = `export default async ({ dbh, rows }) => {
    if (!rows.public) return;
    await dbh.A.execute("insert into item values (100, 'by code on A') on conflict do nothing");
    await dbh.B.execute("insert into item values (200, 'by code on B') on conflict do nothing");
  };`;
  await site.add("adds", "before_trigger_enable", text);
  await a.query("insert into item values (1, 'by the application')");
  expect(await site.kick()).toMatchObject({ code: 0 });
  await waitFor(async () => (await c.query("select from item where id = 200")).length === 1, { what: "B's row on C" });
  expect(await b.query("select name from heard")).toEqual([{ name: "by code on B" }]);
  await site.forget();
  expect(await site.kick()).toMatchObject({ code: 0 });
  expect(await b.query("select id from item order by id")).toEqual([{ id: 1 }, { id: 100 }, { id: 200 }]);
  await b.query("delete from item where id = 200");
  expect(await equalTables(a, b, ["item"])).toEqual([]);
});
