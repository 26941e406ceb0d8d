import { expect, test } from "vitest";
import { onPoint } from "../../src/base/point.ts";
import { BucardoError } from "../../src/model/error.ts";
import { compareSync } from "../../src/verify/compare.ts";
import { Proof } from "../../src/verify/proof.ts";
import { forgetProof } from "../../src/verify/proof-register.ts";
import type { ProofJob, ProofProgress } from "../../src/verify/proof-job.ts";
import { createTransfers } from "../harness/transfers.ts";
import { writers } from "../harness/writers.ts";
import { openRig, openSession, type Rig, type RigOptions } from "../replicate/rig.ts";

/** Everything is large. */
const pieceBytes = 64 * 1024;

/** So that there are some pieces, and not more than a test has patience for. */
const someBytes = 192 * 1024;

async function openProof(rig: Rig, change: Partial<ProofJob> = {}) {
  const source = await openSession(rig.source, "source");
  const target = await openSession(rig.target, "target");
  const proof = await Proof.open({
    source,
    target,
    definition: rig.definition(),
    installation: rig.installation,
    advance: () => rig.run(),
    open: async () => ({ source: await openSession(rig.source, "source"), target: await openSession(rig.target, "target") }),
    pieceBytes,
    ...change,
  });
  return { proof, source, [Symbol.asyncDispose]: () => Promise.all([source.close(), target.close()]).then(() => undefined) };
}

const pieces = (rig: Rig): Promise<{ state: string; n: number }[]> =>
  rig.source.query("select state, count(*)::int as n from bucardo.proof_piece group by 1 order by 1");

const schema = `
  create table plain (id int primary key, v text);
  create table skewed (tenant int, at uuid, v text, primary key (tenant, at));
  create table amount (n numeric primary key, v text);
  create table words (w text primary key, v int);
  create table tree (id int, day date, v text, primary key (id, day)) partition by range (day);
  create table tree_1 partition of tree for values from ('2020-01-01') to ('2020-02-01');
  create table tree_2 partition of tree for values from ('2020-02-01') to ('2021-01-01');`;
const rows = `
  insert into plain select i, repeat('x', 60) from generate_series(1, 8000) i;
  insert into skewed select case when i % 50 = 0 then i else 7 end, md5(i::text)::uuid, repeat('y', 40) from generate_series(1, 6000) i;
  insert into amount select case when i % 2 = 0 then -i else i / 7.0 end, repeat('z', 40) from generate_series(1, 6000) i;
  insert into words select md5(i::text) || chr(33 + i % 90), i from generate_series(1, 6000) i;
  insert into tree select i, '2020-01-01'::date + i % 200, repeat('t', 40) from generate_series(1, 8000) i;`;
const tables = ["plain", "skewed", "amount", "words", "tree"];

async function filled(change: Partial<RigOptions> = {}): Promise<Rig> {
  const rig = await openRig({ schema, tables, majors: [13, 18], ...change });
  await rig.source.query(rows);
  await rig.run();
  return rig;
}

test("large tables are looked at in ranges of their keys, whatever the key, and remembered; what was touched since is looked at again", async () => {
  await using rig = await filled();
  const told: ProofProgress[] = [];
  {
    await using first = await openProof(rig, { jobs: 2, onProgress: (progress) => told.push(progress) });
    expect(await first.proof.bulk()).toBe(5);
    const [{ state, n } = { state: "", n: 0 }, ...others] = await pieces(rig);
    expect(others).toEqual([]);
    expect([state, n > 30]).toEqual(["done", true]);
    const [last, before] = [told.at(-1)!, told[0]!];
    expect([before.bytesDone, last.bytesDone >= last.bytes * 0.99, last.rows]).toEqual([0, true, 34_000]);
    expect(last.tables.map(({ table }) => table).toSorted()).toEqual(tables.map((name) => `public.${name}`).toSorted());
    await rig.source.query("update plain set v = 'touched' where id between 10 and 12; delete from words where v = 9");
    expect(await first.proof.refresh()).toBe(4);
  }
  await using second = await openProof(rig);
  expect(await second.proof.bulk()).toBe(0);
  expect(await second.proof.finish(() => rig.run())).toBe(4);
  await forgetProof(second.source, rig.definition());
  expect(await rig.source.one("select to_regclass('bucardo.proof_piece') is null as gone")).toEqual({ gone: true });
});

test("a row that differs, is missing or is too many is found in whatever piece it is, and stays found", async () => {
  await using rig = await filled();
  for (const [table, wrong, mended] of [
    ["plain", "update plain set v = 'wrong' where id = 1", "update plain set v = repeat('x', 60) where id = 1"],
    ["plain", "delete from plain where id = 8000", "insert into plain values (8000, repeat('x', 60))"],
    ["plain", "insert into plain values (-5, 'surplus')", "delete from plain where id = -5"],
    ["skewed", "update skewed set v = 'wrong' where tenant = 5000", "update skewed set v = repeat('y', 40) where tenant = 5000"],
    ["amount", "insert into amount values ('NaN', 'surplus')", "delete from amount where n = 'NaN'"],
    ["words", "insert into words values ('~~', 1)", "delete from words where w = '~~'"],
    ["tree", "delete from tree where id = 4321", "insert into tree values (4321, '2020-01-01'::date + 4321 % 200, repeat('t', 40))"],
  ] as const) {
    await rig.target.query(wrong);
    const relations = rig.relations.filter(({ name }) => name.name === table);
    await using opened = await openProof(rig, { definition: rig.definition({ relations }), pieceBytes: someBytes });
    const wanted = { code: "not-equal", details: { table: `public.${table}` } };
    await expect(opened.proof.bulk(), wrong).rejects.toMatchObject(wanted);
    await expect(opened.proof.bulk(), "remembered as not equal").rejects.toMatchObject(wanted);
    await rig.target.query(mended);
    await opened.proof.bulk();
    await forgetProof(opened.source, rig.definition());
  }
});

test("broken off, it goes on with the pieces that are missing; a truncated table begins again", async () => {
  await using rig = await filled();
  let shown = 0;
  {
    await using broken = await openProof(rig);
    using point = onPoint((at) => {
      if (at === "verify.piece-shown" && ++shown === 10) throw new BucardoError("usage", "as if killed");
    });
    await expect(broken.proof.bulk()).rejects.toThrow("as if killed");
    expect(point).toBeDefined();
  }
  const before = await pieces(rig);
  expect(before.find(({ state }) => state === "done")?.n).toBe(10);
  const waiting = before.find(({ state }) => state === "waiting")!.n;
  await rig.source.query("truncate amount; insert into amount select i, 'anew' from generate_series(1, 5000) i");
  await rig.run();
  await rig.target.query("insert into amount values (99999, 'surplus')");
  await using again = await openProof(rig);
  await expect(again.proof.bulk()).rejects.toMatchObject({ code: "not-equal", details: { table: "public.amount" } });
  await rig.target.query("delete from amount where n = 99999");
  let looked = 0;
  using point = onPoint((at) => {
    if (at === "verify.piece-hashed") looked++;
  });
  expect(await again.proof.bulk()).toBeGreaterThan(0);
  // Some of amount once more, but never all of the others.
  expect(looked, `${waiting} were left`).toBeLessThan(waiting + 8);
  expect(point).toBeDefined();
  expect((await pieces(rig)).map(({ state }) => state)).toEqual(["done"]);
});

test("while clients write all the time no piece is mistaken; what they touch after its piece was shown is not forgotten", async () => {
  await using rig = await openRig({ schema: "select", tables: [], capture: false });
  for (const side of [rig.source, rig.target]) await createTransfers(await side.client(), 3000);
  Object.assign(rig, { options: { ...rig.options, tables: ["transfers_account"], sequences: [] } });
  await rig.capture();
  await using work = writers(rig.source, { clients: 3, kind: "transfers" });
  await using opened = await openProof(rig, { pieceBytes: 48 * 1024, jobs: 2 });
  await opened.proof.bulk();
  await work.more(50);
  await opened.proof.refresh();
  await work.stop();
  await opened.proof.finish(() => rig.run());
  // Its piece was shown long ago.
  await rig.target.query("update transfers_account set amount = amount + 1 where id = 1");
  await rig.source.query("update transfers_account set amount = amount where id = 1");
  await expect(opened.proof.finish(async () => undefined)).rejects.toMatchObject({ code: "not-equal" });
});

test("a row changed on its way between the snapshots of a piece is no difference; one that nobody touched is", async () => {
  await using rig = await filled({ tables: ["plain"] });
  await using opened = await openProof(rig);
  let turn = 0;
  using point = onPoint(async (at) => {
    // The source's snapshot is older than the run.
    if (at === "verify.piece-claimed" && ++turn % 3 === 0) {
      await rig.source.query("update plain set v = v || '!' where id % 100 = 0");
      await rig.run();
    }
  });
  await opened.proof.bulk();
  await opened.proof.refresh();
  expect([point !== undefined, turn > 5]).toEqual([true, true]);
  expect(await opened.proof.refresh()).toBe(0);
});

test("the two sides may sort keys differently: no row is overlooked, and none is taken for missing", async () => {
  const sorted = (collation: string) => `create table words (w text collate ${collation} primary key, v int)`;
  await using rig = await openRig({
    schema: sorted('"C"'),
    targetSchema: sorted('"en-x-icu"'),
    tables: ["words"],
    majors: [15, 18],
    strict: false,
  });
  // Upper case first here, beside lower case there.
  await rig.source.query(
    "insert into words select case when i % 2 = 0 then upper(md5(i::text)) else md5(i::text) end, i from generate_series(1, 9000) i",
  );
  await rig.run();
  for (const [followedKeys, wrong] of [
    [undefined, "insert into words values ('AAAb', 1)"],
    [50, "update words set v = -1 where v = 77"],
  ] as const) {
    await using opened = await openProof(rig, { pieceBytes: someBytes, ...(followedKeys !== undefined && { followedKeys }) });
    await opened.proof.bulk();
    // With too many rows in other places there is one piece in the end, where order plays no part.
    expect((await pieces(rig))[0]!.n === 1).toBe(followedKeys !== undefined);
    await forgetProof(opened.source, rig.definition());
    await rig.target.query(wrong);
    await using again = await openProof(rig, { pieceBytes: someBytes, ...(followedKeys !== undefined && { followedKeys }) });
    await expect(again.proof.bulk(), wrong).rejects.toMatchObject({ code: "not-equal" });
    await forgetProof(again.source, rig.definition());
    await rig.target.query("delete from words where w = 'AAAb'");
  }
});

test("with more keys touched than are held at once they are looked at some at a time", async () => {
  await using rig = await filled({ tables: ["plain", "words"] });
  await using opened = await openProof(rig, { keysAtOnce: 10 });
  await opened.proof.bulk();
  await rig.source.query("update plain set v = 'many' where id <= 500; delete from words where v between 100 and 120");
  expect(await opened.proof.refresh()).toBe(521);
  await rig.source.query("update plain set v = 'more' where id <= 300");
  await rig.run();
  await rig.target.query("update plain set v = 'wrong' where id = 250");
  await opened.proof.refresh();
  await expect(opened.proof.refresh()).rejects.toMatchObject({ code: "not-equal", details: { table: "public.plain" } });
});

test("compare reads large tables in pieces while writers go on, partitions that differ too", async () => {
  await using rig = await filled({
    targetSchema: schema
      .replace("to ('2020-02-01')", "to ('2020-01-15')")
      .replace("tree_2 partition of tree for values from ('2020-02-01')", "tree_2 partition of tree for values from ('2020-01-15')"),
  });
  await using source = await openSession(rig.source, "source");
  await using target = await openSession(rig.target, "target");
  const compare = () => compareSync({ source, target, relations: rig.relations, patienceMs: 1000, pieceBytes });
  const equal = await compare();
  expect(equal).toMatchObject({ equal: true, problems: [] });
  expect(equal.tables.map(({ sourceRows, targetRows }) => [sourceRows, targetRows])).toEqual(
    [8000, 6000, 6000, 6000, 8000].map((n) => [n, n]),
  );
  await rig.target.query("delete from tree where id = 20; insert into plain values (0, 'surplus'); update words set v = 0 where v = 17");
  const different = await compare();
  expect(
    different.tables.filter((table) => !table.equal).map(({ table, differences }) => [table, differences.map(({ kind }) => kind)]),
  ).toEqual([
    ["public.plain", ["only-target"]],
    ["public.words", ["different"]],
    ["public.tree", ["only-source"]],
  ]);
});
