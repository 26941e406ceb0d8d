import { expect, test } from "vitest";
import { PIECE_BYTES } from "../../src/verify/cut-table.ts";
import { Proof } from "../../src/verify/proof.ts";
import type { ProofJob } from "../../src/verify/proof-job.ts";
import { forgetProof } from "../../src/verify/proof-register.ts";
import { purgeSource } from "../hazards/steering.ts";
import { createTransfers } from "../harness/transfers.ts";
import { writers } from "../harness/writers.ts";
import { openRig, openSession, type Rig } from "../replicate/rig.ts";

const schema = `
  create table t (id int primary key, v text);
  create table u ("Odd Key" text, at date, v numeric, primary key ("Odd Key", at));
  create table part (id int primary key, v text) partition by range (id);
  create table part_1 partition of part for values from (0) to (100);
  create table part_2 partition of part for values from (100) to (200)`;

async function filled(): Promise<Rig> {
  const rig = await openRig({ schema, tables: ["t", "u", "part"], majors: [13, 18] });
  await rig.source.query(`insert into t select i, 'first' from generate_series(1, 100) i;
    insert into u select 'k''' || i, '2020-01-01'::date + i, i / 10.0 from generate_series(1, 100) i; insert into part select i, 'first' from generate_series(0, 199) i`);
  await rig.run();
  return rig;
}

async function openProof(rig: Rig, looked: string[] = [], change: Partial<ProofJob> = {}) {
  const source = await openSession(rig.source, "source");
  const target = await openSession(rig.target, "target");
  const proof = await Proof.open({
    source,
    target,
    definition: rig.definition(),
    installation: rig.installation,
    advance: () => rig.run(),
    open: async () => ({ source: await openSession(rig.source, "source"), target: await openSession(rig.target, "target") }),
    onTable: (table) => looked.push(table),
    ...change,
  });
  return { proof, looked, source, [Symbol.asyncDispose]: () => Promise.all([source.close(), target.close()]).then(() => undefined) };
}

const nothing = async (): Promise<void> => undefined;

test("every table is looked at once, and then only keys that were touched; another process goes on with it", async () => {
  await using rig = await filled();
  {
    await using first = await openProof(rig);
    expect(await first.proof.bulk()).toBe(3);
    expect(first.looked.toSorted()).toEqual(["public.part", "public.t", "public.u"]);
    await rig.source.query(`update t set v = 'x' where id <= 3; delete from u where "Odd Key" = 'k''7'`);
    expect(await first.proof.refresh()).toBe(4);
    expect(await first.proof.refresh()).toBe(0);
  }
  await rig.source.query("update part set v = 'again' where id in (5, 150)");
  await using second = await openProof(rig);
  expect(await second.proof.bulk()).toBe(0);
  expect(await second.proof.refresh()).toBe(2);
});

test("a difference is found: in a row that was never touched, in one that was, in a missing and in a surplus one", async () => {
  for (const [wrong, touch] of [
    ["update t set v = 'wrong' where id = 50", null],
    ["delete from u where v = 5.0", null],
    ["insert into part values (7000, 'surplus')", null],
    ["update t set v = 'wrong' where id = 51", "update t set v = 'touched' where id = 50"],
  ] as const) {
    await using rig = await filled();
    if (wrong.includes("7000")) await rig.target.query("create table part_x partition of part default");
    await rig.target.query(wrong);
    await using opened = await openProof(rig);
    if (touch !== null) await rig.source.query(touch);
    await expect(opened.proof.bulk(), wrong).rejects.toMatchObject({ code: "not-equal" });
    await expect(opened.proof.bulk(), "remembered as not equal").rejects.toMatchObject({ code: "not-equal" });
  }
});

test("a table with a dot or a quote in its name is looked at like any other, in pieces too", async () => {
  const name = 'odd. "name"';
  const quoted = '"odd. ""name"""';
  await using rig = await openRig({
    schema: `create table ${quoted} (id int primary key, v text)`,
    tables: [{ table: { schema: "public", name }, key: ["id"] }],
  });
  await rig.source.query(`insert into ${quoted} select i, 'first' from generate_series(1, 2000) i`);
  await rig.run();
  await rig.target.query(`update ${quoted} set v = 'wrong' where id = 1500`);
  for (const pieceBytes of [PIECE_BYTES, 32 * 1024]) {
    await using opened = await openProof(rig, [], { pieceBytes });
    await expect(opened.proof.bulk(), String(pieceBytes)).rejects.toMatchObject({ code: "not-equal" });
  }
  await rig.target.query(`update ${quoted} set v = 'first' where id = 1500`);
  const prints: number[] = [];
  await using opened = await openProof(rig, [], { pieceBytes: 32 * 1024, onPrint: async (_, { rows }) => void prints.push(rows) });
  await opened.proof.bulk();
  expect(prints).toEqual([2000]);
});

test("a touched row that a run did not bring over is found by the looks that follow, and by the last one at once", async () => {
  await using rig = await filled();
  await using opened = await openProof(rig);
  await opened.proof.bulk();
  await rig.source.query("update t set v = 'touched' where id = 1");
  await rig.run();
  await rig.target.query("update t set v = 'wrong' where id = 1");
  await opened.proof.refresh();
  await expect(opened.proof.refresh()).rejects.toMatchObject({ code: "not-equal", details: { table: "public.t" } });

  await using other = await openProof(rig);
  await expect(other.proof.finish(nothing)).rejects.toMatchObject({ code: "not-equal" });
});

test("what was truncated, rewritten or attached is looked at as a whole again", async () => {
  await using rig = await filled();
  await using opened = await openProof(rig);
  await opened.proof.bulk();
  await rig.source.query(
    "truncate t; insert into t values (1, 'new'); create table part_3 partition of part for values from (200) to (300); insert into part values (200, 'new')",
  );
  await rig.target.query("create table part_3 partition of part for values from (200) to (300)");
  await rig.run();
  await opened.proof.refresh();
  await rig.target.query("insert into t values (2, 'surplus')");
  await rig.source.query("truncate t; insert into t values (1, 'newer')");
  await expect(opened.proof.finish(nothing)).rejects.toMatchObject({ code: "not-equal", details: { table: "public.t" } });
});

test("deltas are held back until they were looked at, and no longer; forgotten, nothing of it is left", async () => {
  await using rig = await filled();
  const registered = (): Promise<unknown[]> => rig.source.query("select target from bucardo.checkpoint order by 1");
  await using opened = await openProof(rig);
  await opened.proof.bulk();
  await rig.source.query("update t set v = 'held'");
  await rig.run();
  await purgeSource(rig);
  expect(await purgeSource(rig)).toMatchObject({ held: 1 });
  expect(await opened.proof.refresh()).toBe(100);
  await opened.proof.refresh();
  expect(await purgeSource(rig)).toMatchObject({ held: 0 });
  expect(await registered()).toEqual([{ target: "proof" }, { target: "target" }]);
  await forgetProof(opened.source, rig.definition());
  expect(await registered()).toEqual([{ target: "target" }]);
});

test("while clients write all the time no look is mistaken, and the last one is exact", async () => {
  await using rig = await openRig({ schema: "select", tables: [], capture: false });
  for (const side of [rig.source, rig.target]) await createTransfers(await side.client(), 300);
  Object.assign(rig, { options: { ...rig.options, tables: ["transfers_account"], sequences: [] } });
  await rig.capture();
  await using work = writers(rig.source, { clients: 3, kind: "transfers" });
  await using opened = await openProof(rig);
  await opened.proof.bulk();
  let keys = 0;
  for (let look = 1; look <= 10; look++) {
    await work.more(20);
    keys += await opened.proof.refresh();
  }
  expect(keys).toBeGreaterThan(0);
  await work.stop();
  await opened.proof.finish(() => rig.run());
  await rig.target.query("update transfers_account set amount = amount + 1 where id = (select max(id) from transfers_account)");
  await rig.source.query("update transfers_account set amount = amount where id = (select max(id) from transfers_account)");
  await expect(opened.proof.finish(nothing)).rejects.toMatchObject({ code: "not-equal" });
});
