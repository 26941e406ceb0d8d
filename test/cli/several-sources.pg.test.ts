import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { waitFor } from "../harness/wait.ts";
import { startDaemon } from "./daemon.ts";
import { openSite, type Site } from "./site.ts";

const SCHEMA = `create table account (id integer primary key, balance integer);
create table person (id integer primary key, email text unique, name text);
create table orders (id integer primary key, person integer references person);
create sequence numbers`;

let site: Site;
let daemon: Awaited<ReturnType<typeof startDaemon>>;

const [A, B, C, D] = [0, 1, 2, 3];
const query = (db: number, text: string) => site.databases[db]!.query(text);
const balances = async (db: number) =>
  (await query(db, "select id, balance from account order by id")).map(({ id, balance }) => `${String(id)}=${String(balance)}`).join(" ");

beforeAll(async () => {
  site = await openSite({ majors: [15, 18, 10, 13], schema: SCHEMA });
  for (const name of ["A", "B", "C", "D"]) await site.ok(`add db ${name} $${name}`);
  daemon = await startDaemon(site);
});

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
});

describe("two-way between two databases, in the words of version 4", () => {
  beforeAll(async () => {
    await site.ok("add sync pair type=swap source=A targetdb=B tables=account,person,orders,numbers standard_conflict=source ping=false");
  });
  afterAll(() => site.ok("remove sync pair"));

  // proves: 6.3/swap, 6.3/conflict-fixed
  test("a change goes to the other side, whichever it is made on; of two the source's counts", async () => {
    await query(A, "insert into account values (1, 10)");
    await query(B, "insert into account values (2, 20)");
    await site.ok("kick pair 60");
    expect([await balances(A), await balances(B)]).toEqual(["1=10 2=20", "1=10 2=20"]);
    await query(A, "update account set balance = 11 where id = 1");
    await query(B, "update account set balance = 12 where id = 1");
    await site.ok("kick pair 60");
    expect([await balances(A), await balances(B)]).toEqual(["1=11 2=20", "1=11 2=20"]);
    await site.ok("update sync pair conflict_strategy=bucardo_target");
    await query(A, "update account set balance = 13 where id = 1");
    await query(B, "update account set balance = 14 where id = 1");
    await site.ok("kick pair 60");
    expect([await balances(A), await balances(B)]).toEqual(["1=14 2=20", "1=14 2=20"]);
  });

  // proves: 6.3/conflict-log, 6.3/history
  test("the log has both rows, who won and why; a row that lost is written back", async () => {
    await site.ok("update sync pair conflict_strategy=bucardo_latest");
    await query(A, "update account set balance = 21 where id = 2");
    await query(B, "update account set balance = 22 where id = 2");
    await site.ok("kick pair 60");
    expect([await balances(A), await balances(B)]).toEqual(["1=14 2=22", "1=14 2=22"]);
    const { conflicts } = JSON.parse(await site.ok("list conflicts pair winner=B table=account limit=1 --json")) as {
      conflicts: { number: number; winner: string; why: string; key: string[]; incoming: { db: string; image: object } }[];
    };
    expect(conflicts).toMatchObject([
      {
        winner: "B",
        why: "the later change",
        key: ["2"],
        incoming: { db: "B", image: { id: "2", balance: "22" } },
        local: { db: "A", image: { balance: "21" } },
      },
    ]);
    const text = await site.ok(`list conflicts ${conflicts[0]!.number} -v`);
    expect(text).toContain("pair: public.account (id=2), changed on B and A: B won, the later change");
    expect(text).toContain("balance = 21");
    expect(await site.ok("list conflicts pair winner=none")).toContain("No conflicts");
    const { conflicts: counted } = await site.control.one<{ conflicts: number }>(
      "select sum(conflicts)::int as conflicts from bucardo.syncrun where sync = 'pair'",
    );
    expect(counted).toBe(3);
    await site.ok(`conflict replay ${conflicts[0]!.number}`);
    await site.ok("kick pair 60");
    expect([await balances(A), await balances(B)]).toEqual(["1=14 2=21", "1=14 2=21"]);
    expect(await site.ok(`list conflicts ${conflicts[0]!.number}`)).toContain("replayed");
  });

  // proves: 6.3/conflict-delete-update
  test("a deletion against a change: the later one counts", async () => {
    await query(A, "delete from account where id = 1");
    await query(B, "update account set balance = 15 where id = 1");
    await query(B, "update account set balance = 23 where id = 2");
    await query(A, "delete from account where id = 2");
    await site.ok("kick pair 60");
    expect([await balances(A), await balances(B)]).toEqual(["1=15", "1=15"]);
  });

  // proves: 6.3/conflict-table, 6.3/conflict-list
  test("a table has a strategy of its own: databases in the order in which they win", async () => {
    await site.ok("update table account conflict_strategy=A,B");
    await query(A, "update account set balance = 16 where id = 1");
    await query(B, "update account set balance = 17 where id = 1");
    await site.ok("kick pair 60");
    expect([await balances(A), await balances(B)]).toEqual(["1=16", "1=16"]);
    await site.ok("update table account conflict_strategy=B");
    await query(B, "update account set balance = 18 where id = 1");
    await query(A, "update account set balance = 19 where id = 1");
    await site.ok("kick pair 60");
    expect([await balances(A), await balances(B)]).toEqual(["1=18", "1=18"]);
    await site.ok("update table account conflict_strategy=none");
  });

  // proves: 6.3/conflict-fixed
  test("skip leaves both rows as they are; abort stops the sync with a message", async () => {
    await site.ok("update sync pair conflict_strategy=bucardo_skip");
    await query(A, "update account set balance = 1 where id = 1");
    await query(B, "update account set balance = 2 where id = 1");
    await site.ok("kick pair 60");
    await site.ok("kick pair 60");
    expect([await balances(A), await balances(B)]).toEqual(["1=1", "1=2"]);
    await site.ok("update sync pair conflict_strategy=bucardo_abort");
    await query(A, "update account set balance = 3 where id = 1");
    await query(B, "update account set balance = 4 where id = 1");
    const { code } = await site.run("kick pair 60");
    expect(code).toBe(2);
    expect(await site.ok("status pair")).toContain("1 row of public.account changed on both sides");
    await site.ok("update sync pair conflict_strategy=bucardo_latest");
    await site.ok("kick pair 60");
    expect([await balances(A), await balances(B)]).toEqual(["1=4", "1=4"]);
  });

  // proves: 6.3/conflict-latest, 6.3/conflict-latest-all
  test("latest goes by row, latest_all_tables by the newest change of any", async () => {
    await query(A, "update account set balance = 5 where id = 1");
    await query(B, "update account set balance = 6 where id = 1");
    await query(A, "insert into person values (100, 'newest@all', 'n')");
    await site.ok("kick pair 60");
    expect([await balances(A), await balances(B)]).toEqual(["1=6", "1=6"]);
    await site.ok("update sync pair conflict_strategy=bucardo_latest_all_tables");
    await query(A, "update account set balance = 7 where id = 1");
    await query(B, "update account set balance = 8 where id = 1");
    await query(A, "update person set name = 'm' where id = 100");
    await site.ok("kick pair 60");
    expect([await balances(A), await balances(B)]).toEqual(["1=7", "1=7"]);
    await site.ok("update sync pair conflict_strategy=bucardo_latest");
  });

  // proves: 6.3/unique-conflict
  test("one unique value under two keys: one row stays, on both sides", async () => {
    await query(A, "insert into person values (1, 'a@x', 'from A')");
    await query(B, "insert into person values (2, 'a@x', 'from B')");
    await site.ok("kick pair 60");
    await site.ok("kick pair 60");
    const people = (db: number) => query(db, "select id, name from person where email = 'a@x'");
    expect([await people(A), await people(B)]).toEqual([[{ id: 2, name: "from B" }], [{ id: 2, name: "from B" }]]);
    expect(await site.ok("list conflicts pair kind=unique")).toContain(
      "public.person (id=2) met (id=1), one unique value on B and A: B won",
    );
  });

  // proves: 6.3/foreign-key-conflict
  test("a row that is deleted while another comes to refer to it is restored, or both go", async () => {
    await query(B, "insert into orders values (1, 2)");
    await query(A, "delete from person where id = 2");
    await site.ok("kick pair 60");
    await site.ok("kick pair 60");
    const orders = (db: number) => query(db, "select o.id, p.name from orders o left join person p on p.id = o.person order by 1");
    expect([await orders(A), await orders(B)]).toEqual([[{ id: 1, name: "from B" }], [{ id: 1, name: "from B" }]]);
    expect(await site.ok("list conflicts pair kind=foreign_key")).toContain("it comes back");
    await site.ok("update sync pair fk_conflict=delete");
    await query(B, "insert into orders values (2, 100)");
    await query(A, "delete from person where id = 100");
    await site.ok("kick pair 60");
    await site.ok("kick pair 60");
    expect([await orders(A), await orders(B)]).toEqual([[{ id: 1, name: "from B" }], [{ id: 1, name: "from B" }]]);
  });

  // proves: 6.3/sequence-conflict
  test("of a sequence the highest position counts, or the lowest", async () => {
    const at = async (db: number) => Number((await query(db, "select last_value from numbers"))[0]!["last_value"]);
    await query(A, "select setval('numbers', 50)");
    await query(B, "select setval('numbers', 70)");
    await site.ok("kick pair 60");
    expect([await at(A), await at(B)]).toEqual([70, 70]);
    await site.ok("update sync pair sequence_conflict=lowest");
    await query(B, "select setval('numbers', 60)");
    await site.ok("kick pair 60");
    expect([await at(A), await at(B)]).toEqual([60, 60]);
  });

  test("validate, compare, delta and inspect know both directions", async () => {
    expect(await site.ok("validate pair")).toContain("OK");
    expect(await site.ok("compare pair")).toContain("equal");
    await query(B, "update account set balance = 99 where id = 1");
    expect(await site.ok("delta")).toMatch(/database B: 1/);
    expect(await site.ok("inspect sync pair")).toContain("B");
    await site.ok("kick pair 60");
  });
});

// proves: 6.1/validate, 6.3/multi-source
test("validate compares the tables of every source both ways, and names database and table", async () => {
  for (const db of [A, B, C])
    await query(db, "create table part (id integer primary key, v integer); create table piece (id bigint primary key, v text)");
  // These take what A has, and A does not take what they have.
  await query(B, "alter table part alter column v type bigint");
  await query(C, "alter table piece add column more text");
  const add = "add sync parts dbs=A:source,B:source,C:source tables=part,piece autokick=off strict_checking=off";
  const refused = await site.run(add);
  expect(refused.code).not.toBe(0);
  expect(refused.err).toMatch(/A: public\.part: for rows of B as the source: column v is bigint on the source and integer on A/);
  expect(refused.err).toMatch(/A: public\.piece: for rows of C as the source: column more does not exist on A/);
  await query(A, "alter table part alter column v type bigint");
  for (const db of [A, B]) await query(db, "alter table piece add column more text");
  await query(C, "alter table part alter column v type bigint");
  await site.ok(add);
  expect(await site.ok("validate parts")).toContain("OK");
  await query(C, "alter table piece drop constraint piece_pkey");
  const { code, out } = await site.run("validate parts");
  expect(code).toBe(1);
  expect(out).toMatch(/error: C: public\.piece: /);
  await site.ok("remove sync parts");
});

// proves: 6.3/multi-source
test("three sources and a target: what one writes all others get, with one kick", async () => {
  await site.ok("add sync star dbs=A:source,B:source,C:source,D:target tables=account autokick=off");
  await query(A, "delete from account");
  await query(A, "insert into account values (1, 1)");
  await query(B, "insert into account values (2, 2)");
  await query(C, "insert into account values (3, 3)");
  await site.ok("kick star 60");
  await query(C, "update account set balance = 33 where id = 1");
  await query(B, "update account set balance = 22 where id = 3");
  await site.ok("kick star 60");
  const all = [await balances(A), await balances(B), await balances(C), await balances(D)];
  expect(all).toEqual(Array(4).fill("1=33 2=2 3=22"));
  // The words of version 4 had switched it off for the table.
  await site.ok("update table account autokick=on");
  await query(B, "insert into account values (4, 4)");
  await waitFor(async () => (await balances(D)).includes("4=4") && (await balances(C)).includes("4=4"), { what: "4 on C and D" });
  await site.ok("remove sync star");
  const left = await query(B, "select count(*)::int as left from pg_namespace where nspname = 'bucardo'");
  expect(left).toEqual([{ left: 0 }]);
});

// proves: 6.3/cascade, 6.2/makedelta
test("a chain hands on, a ring ends, a diamond is one", async () => {
  for (const db of [A, B, C, D]) await query(db, "truncate account");
  await site.ok("add sync ab dbs=A:source,B:target tables=account makedelta=on");
  await site.ok("add sync bc dbs=B:source,C:target tables=account");
  await site.ok("add sync ca dbs=C:source,A:target tables=account");
  await site.ok("add sync ad dbs=A:source,D:target tables=account");
  await site.ok("add sync cd dbs=C:source,D:target tables=account");
  await query(A, "insert into account values (1, 1)");
  await waitFor(async () => (await balances(C)) === "1=1" && (await balances(D)) === "1=1", { what: "1 on C and D" });
  await query(C, "insert into account values (2, 2)");
  await waitFor(async () => (await balances(B)) === "1=1 2=2" && (await balances(D)) === "1=1 2=2", { what: "2 on B and D" });
  await query(B, "delete from account where id = 1");
  await waitFor(async () => (await Promise.all([A, C, D].map(balances))).every((each) => each === "2=2"), {
    what: "1 to be gone everywhere",
  });
  // No echo: nothing waits anywhere, and nothing runs any more.
  await waitFor(async () => !/[1-9]/.test(await site.ok("delta")), { what: "nothing to wait" });
  for (const sync of ["ab", "bc", "ca", "ad", "cd"]) await site.ok(`remove sync ${sync}`);
});

// proves: 6.3/cascade
test("two syncs, one for each direction, are a pair too", async () => {
  for (const db of [A, B]) await query(db, "truncate account");
  await site.ok("add sync there dbs=A:source,B:target tables=account autokick=off");
  await site.ok("add sync back dbs=B:source,A:target tables=account autokick=off");
  await query(A, "insert into account values (1, 1)");
  await site.ok("kick there 60");
  await query(A, "update account set balance = 2");
  await query(B, "update account set balance = 3");
  await site.ok("kick there back 60");
  await site.ok("kick there back 60");
  expect([await balances(A), await balances(B)]).toEqual(["1=3", "1=3"]);
});
