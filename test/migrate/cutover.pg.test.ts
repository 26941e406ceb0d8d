import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { cutover, type CutoverEvent } from "../../src/migrate/cutover.ts";
import { footprint } from "../harness/footprint.ts";
import { startServer } from "../harness/server.ts";
import type { TestDatabase } from "../harness/database.ts";
import { waitFor } from "../harness/wait.ts";
import { at } from "../hazards/steering.ts";
import { nameOf, openRig, type Rig } from "../replicate/rig.ts";
import { contextOf, describe, switchOver } from "./rig.ts";

const schema = `
  create table t (id int primary key, v text);
  create sequence s;
  create table small (v text)`;

/** Both sides alike, in step and analyzed. */
async function ready(): Promise<Rig> {
  const rig = await openRig({ schema, tables: ["t"], sequences: ["s"] });
  await rig.source.query(
    "insert into t select i, 'x' from generate_series(1, 100) i; select nextval('s') from generate_series(1, 7); insert into small values ('a')",
  );
  await rig.run();
  await rig.target.query("analyze");
  return rig;
}

/** The table without key stays behind. */
const without = { leftOut: [nameOf("small")] };
const refused = { code: "BU001" };

test("writers are moved: everything is there, the old side is closed, the new one open, sequences go on with a gap", async () => {
  await using rig = await ready();
  await rig.source.query("update t set v = 'last' where id = 5; insert into small values ('b')");
  const report = await switchOver(rig, { uncaptured: [nameOf("small")] });
  expect(await rig.differences()).toEqual([]);
  expect(await rig.target.query("select v from small order by v")).toEqual([{ v: "a" }, { v: "b" }]);
  for (const write of ["update t set v = 'late'", "insert into small values ('late')"]) {
    await expect(rig.source.query(write)).rejects.toMatchObject({
      ...refused,
      hint: expect.stringContaining(String(rig.target.server.port)),
    });
  }
  await rig.target.query("insert into t values (101, 'new'); insert into small values ('new')");
  expect(await rig.target.one("select nextval('s')::int as n")).toEqual({ n: 108 });
  expect(report.timings.map(({ step }) => step)).toEqual([
    "close to writers",
    "wait for open transactions",
    "last run",
    "tables without key",
    "nothing waits",
    "no definition changed",
    "sequences",
    "point of no return",
    "open the other side",
    "usual functions there",
    "forget what was compared",
    "note that it is done",
  ]);
  expect(report.downtimeMs).toBeGreaterThan(0);
});

/** Clients that write until they are refused; each tells how far it was committed. */
async function journalWriters(rig: Rig, clients: number): Promise<{ end: Promise<number[]> }> {
  const one = async (writer: number): Promise<number> => {
    const client = await rig.source.client();
    for (let n = 1; ; n++) {
      try {
        await client.query("begin");
        await client.query("insert into journal values ($1, $2, nextval('ids'))", [writer, n]);
        await client.query("update total set n = n + 1 where id = $1", [writer]);
        await client.query("commit");
      } catch (error) {
        if ((error as { code?: string }).code !== refused.code) throw error;
        return n - 1;
      }
    }
  };
  const end = Promise.all(Array.from({ length: clients }, (_, index) => one(index)));
  end.catch(() => undefined); // whoever awaits it is told
  return { end };
}

test("under load: what was committed on the old side is on the new one, nothing else, and no number is given out twice", async () => {
  await using rig = await openRig({
    schema: `create table journal (writer int, n int, id int not null, primary key (writer, n)); create table total (id int primary key, n int);
      insert into total select i, 0 from generate_series(0, 7) i; create sequence ids`,
    tables: ["journal", "total"],
    sequences: ["ids"],
  });
  const writing = await journalWriters(rig, 8);
  await switchOver(rig, { verify: true });
  const committed = await writing.end;
  expect(await rig.differences()).toEqual([]);
  expect(await rig.target.query("select count(*)::int as n from journal group by writer order by writer")).toEqual(
    committed.map((n) => ({ n })),
  );
  expect(await rig.target.query("select n from total order by id")).toEqual(committed.map((n) => ({ n })));
  const { next } = await rig.target.one<{ next: number }>("select nextval('ids')::int as next");
  expect(next).toBeGreaterThan((await rig.source.one<{ last: number }>("select last_value::int as last from ids")).last);
});

/** One row, until it is refused; returns how often. */
async function countWrites(client: { query(text: string): Promise<unknown> }): Promise<number> {
  for (let n = 1; ; n++) {
    try {
      await client.query(`update t set v = '${n}' where id = 1`);
      // So that what comes while the cutover prepares is little, however fast the server is.
      await delay(2);
    } catch (error) {
      if ((error as { code?: string }).code !== refused.code) throw error;
      return n - 1;
    }
  }
}

test("deltas that everybody has passed are not read again in the window, however busy the source is", async () => {
  await using rig = await openRig({ schema: "create table t (id int primary key, v text)", tables: ["t"] });
  await rig.source.query("insert into t select i, 'x' from generate_series(1, 20000) i");
  await rig.run();
  await rig.target.query("analyze");
  await rig.source.query("update t set v = 'y'");
  const written = countWrites(await rig.source.client());
  let waiting = Number.NaN;
  using _ = at("migrate.closed", async () => {
    ({ waiting } = await rig.source.one<{ waiting: number }>(
      "select sum(pg_relation_size(delta))::int as waiting from bucardo.generation",
    ));
  });
  await switchOver(rig);
  const last = String(await written);
  expect(await rig.target.query("select v from t where id = 1")).toEqual([{ v: last }]);
  // 20,000 deltas are 900 kB.
  expect(waiting).toBeLessThan(500_000);
});

test("a rehearsal does everything but the move: writers stop for a moment, and nothing is left of it", async () => {
  await using rig = await ready();
  const before = { source: await objects(rig.source), target: await objects(rig.target) };
  const report = await cutover(contextOf(rig, { rehearse: true, uncaptured: [nameOf("small")] }));
  expect(describe(report)).toMatch(/^rehearsed/);
  expect(report.timings.map(({ step }) => step)).toContain("nothing waits");
  expect({ source: await objects(rig.source), target: await objects(rig.target) }).toEqual(before);
  await rig.source.query("update t set v = 'goes on'; insert into small values ('goes on')");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

/** All objects, without the rows of our own tables, which a run changes. */
async function objects(database: TestDatabase): Promise<string[]> {
  const lines = (await footprint(database)).filter((line) => !line.startsWith("row of"));
  const texts = await database.query<{ text: string }>(
    "select pg_get_functiondef(oid) as text from pg_proc where pronamespace = to_regnamespace('bucardo') order by proname",
  );
  return [...lines, ...texts.map(({ text }) => text)];
}

test.each(["migrate.closed", "migrate.last-run"] as const)(
  "a failure at %s is undone, writers first, and a second attempt succeeds",
  async (point) => {
    await using rig = await ready();
    const before = { source: await objects(rig.source), target: await objects(rig.target) };
    {
      using standing = at(point, async () => {
        throw new Error("the test says no");
      });
      const report = await cutover(contextOf(rig, without));
      expect(standing.passes).toBe(1);
      expect(report).toMatchObject({ outcome: "undone", why: { message: expect.stringContaining("the test says no") }, warnings: [] });
    }
    expect({ source: await objects(rig.source), target: await objects(rig.target) }).toEqual(before);
    await rig.source.query("update t set v = 'goes on'");
    await switchOver(rig, without);
    expect(await rig.differences()).toEqual([]);
  },
);

test("over the budget, because a transaction does not end: undone, it is named, and the transaction may go on", async () => {
  await using rig = await ready();
  const open = await rig.source.client({ application_name: "shop" });
  await open.query("begin; update t set v = 'open' where id = 1");
  // A quarter of it is left when the transaction has had its share: whoever looks late must not run over the budget.
  const report = await cutover(contextOf(rig, { ...without, budgetMs: 4000, override: ["long-transactions"] }));
  expect(report).toMatchObject({ outcome: "undone", why: { code: "writers-left", message: expect.stringContaining("shop") } });
  await open.query("update t set v = 'open' where id = 2; commit");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
});

test("over the budget, because the new server does not answer: the old side is open again at once", async () => {
  await using server = await startServer({ major: 18 });
  await using rig = await openRig({ schema, tables: ["t"], sequences: ["s"], targetServer: server });
  await rig.source.query("insert into t select i, 'x' from generate_series(1, 100) i");
  await rig.run();
  await rig.target.query("analyze");
  using standing = at("migrate.closed", async () => server.freeze());
  const attempt = cutover(contextOf(rig, { ...without, budgetMs: 3000 }));
  await waitFor(() => standing.passes === 1, { what: "the window" });
  await waitFor(() => rig.source.query("update t set v = 'open' where id = 1"), { what: "an open source" });
  const report = await attempt;
  expect(report).toMatchObject({ outcome: "undone", why: { code: "over-budget" } });
  server.thaw();
  await switchOver(rig, without);
  expect(await rig.differences()).toEqual([]);
});

test("a difference is found before the window, or in it, and nothing is moved", async () => {
  await using rig = await ready();
  await rig.target.query("update t set v = 'wrong' where id = 7");
  const refusedReport = await cutover(contextOf(rig, { ...without, verify: true }));
  expect(refusedReport).toMatchObject({ outcome: "refused", downtimeMs: null, why: { message: expect.stringContaining("public.t") } });
  await rig.source.query("update t set v = 'right' where id = 7");
  {
    // What a run brought over is spoilt before it is looked at.
    using _ = at("replicate.target-committed", async () => {
      await rig.target.query("set session_replication_role = replica; update t set v = 'spoilt' where id = 8");
    });
    await rig.source.query("update t set v = 'touched' where id = 8");
    const undone = await cutover(contextOf(rig, { ...without, verify: true }));
    expect(undone.outcome).toMatch(/refused|undone/);
    expect(undone.why?.message).toContain("public.t");
  }
  await rig.target.query("reset session_replication_role");
  await rig.source.query("update t set v = 'right' where id = 8");
  await switchOver(rig, { ...without, verify: true });
  expect(await rig.differences()).toEqual([]);
});

test("the switch command runs when the new side is open, its output is told, and its failure is a warning", async () => {
  await using rig = await ready();
  const told: string[] = [];
  const onEvent = (event: CutoverEvent): void => {
    if (event.kind === "output") told.push(event.text);
  };
  const onSwitch = `echo "$BUCARDO_FROM -> $BUCARDO_TO"; echo oh >&2; exit 3`;
  const report = await switchOver(rig, { ...without, onSwitch, onEvent });
  const place = (side: TestDatabase): string => `127.0.0.1:${side.server.port}/${side.name}`;
  expect(told.toSorted()).toEqual([`${place(rig.source)} -> ${place(rig.target)}`, "oh"].toSorted());
  expect(report.warnings).toEqual(["the switch command ended with 3"]);
  await rig.target.query("update t set v = 'open'");
});

test("a switch command that does not end is killed with all that it started, and the move stands", async () => {
  await using rig = await ready();
  const report = await switchOver(rig, { ...without, onSwitch: "sleep 100 & wait", onSwitchTimeoutMs: 300 });
  expect(report.warnings).toEqual(["the switch command did not end within 0.3 s and was killed"]);
});
