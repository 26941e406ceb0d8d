import { expect, test } from "vitest";
import { onPoint } from "../../src/base/point.ts";
import { readComparedTables, type ComparedTable } from "../../src/migrate/compared-table.ts";
import { endpointOf } from "../../src/migrate/endpoint.ts";
import { makeReport } from "../../src/migrate/make-report.ts";
import { requireMigration } from "../../src/migrate/state.ts";
import { openSession } from "../replicate/rig.ts";
import { breakOffAt, openMove } from "./open-move.ts";

const schema = `
  create table one (id int primary key, v text); insert into one select i, 'row ' || i from generate_series(1, 500) i;
  create table same (id int primary key, v text); insert into same select * from one order by id desc;
  create table other (id int primary key, v text); insert into other select id, replace(v, 'row 77', 'row 78') from one;
  create table nothing (id int primary key);
  create table images (line text, n int); insert into images select repeat('x', 80), i % 1000 from generate_series(1, 50000) i;
  create table small (line text); insert into small values ('a'), ('a')`;

type Move = Awaited<ReturnType<typeof openMove>>;

async function compared(move: Move): Promise<Map<string, ComparedTable>> {
  await using session = await openSession(move.old, "old");
  const tables = await readComparedTables(session, await requireMigration(session));
  return new Map(tables.map((table) => [table.table.replace("public.", ""), table]));
}

test("every table that was compared has its rows and a hash that tells of what they hold, in status, report and at the finish", async () => {
  await using move = await openMove(schema, [13, 18]);
  await move.start();
  const found = await compared(move);
  const hash = (name: string) => found.get(name)?.compared?.hash;
  expect(Object.fromEntries([...found].map(([name, { compared: print }]) => [name, print?.rows ?? null]))).toEqual({
    images: 50_000,
    nothing: 0,
    one: 500,
    other: 500,
    same: 500,
    small: null,
  });
  // By what the rows hold, not by their order or the name of the table.
  expect(hash("same")).toBe(hash("one"));
  expect(hash("other")).not.toBe(hash("one"));
  expect(hash("nothing")).toBe("0".repeat(16));
  for (const table of found.values()) expect(table.compared?.onTheWay ?? 0).toBe(0);

  // A server can be asked for the same, on either side.
  const sum = 'select sum(hashtextextended(concat_ws(chr(31), id, v) collate "C", 0))::text as sum from one';
  for (const side of [move.old, move.young])
    expect(BigInt.asUintN(64, BigInt((await side.one<{ sum: string }>(sum)).sum))).toBe(BigInt(`0x${hash("one")}`));

  const ends = { old: endpointOf("old", move.old.url), new: endpointOf("new", move.young.url), signal: new AbortController().signal };
  expect(await makeReport(ends, "bucardo")).toContain(hash("other"));
  expect((await move.turn("cutover")).outcome).toBe("switched");
  expect((await move.finish()).map(({ table }) => table)).toEqual([...found.values()].map(({ table }) => table));
  expect(await move.old.query("select to_regnamespace('bucardo') as ours")).toEqual([{ ours: null }]);
});

test("a row that is being changed while its table is looked at is counted as on the way; a move that an older version began gets what it lacks", async () => {
  await using move = await openMove(
    "create table t (id int primary key, v text); insert into t select i, 'x' from generate_series(1, 50) i",
  );
  {
    using _ = breakOffAt("copy.planned");
    await expect(move.start()).rejects.toThrow("broken off");
  }
  await move.old.query("drop table bucardo.migration_table; update bucardo.migration set version = 1");
  expect((await compared(move)).get("t")?.compared).toBe(null);

  let changed = false;
  // The proof reads the old side in a snapshot, and the new side after a run that comes later.
  using _ = onPoint(async (point) => {
    if (point !== "replicate.begun" || changed) return;
    const proving = await move.old.query(
      "select from pg_stat_activity where application_name = 'bucardo migrate compare' and datname = current_database() and backend_xmin is not null",
    );
    if (proving.length === 0) return;
    changed = true;
    await move.old.query("update t set v = 'y' where id in (7, 8)");
  });
  await move.start();
  expect(changed).toBe(true);
  expect(move.messages.join("\n")).toContain('Going on where it stood, at "copy"');
  expect((await compared(move)).get("t")?.compared).toMatchObject({ rows: 50, onTheWay: 2 });
});
