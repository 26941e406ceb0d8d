import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { purge } from "../../src/capture/purge.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { seededRandom } from "../harness/writers.ts";
import { openRig, openSession, type Rig } from "../replicate/rig.ts";

const clients = 8;
const seconds = 6;

/** Every transaction that commits writes one line and counts it; whoever reads both must find them equal, and no line comes twice. */
const schema = `
  create table line (id bigint primary key, client int, v text);
  create table counter (client int primary key, lines bigint);`;
const disagreement =
  "select c.client, c.lines::text, (select count(*) from line l where l.client = c.client)::text as found from counter c where c.lines <> (select count(*) from line l where l.client = c.client)";

/** One transaction after the other: savepoints kept and undone, pauses, aborts, and what two-phase commit leaves open after the session has gone on. */
async function write(rig: Rig, client: number, random: (below: number) => number, goesOn: () => boolean): Promise<number> {
  const session = await rig.source.client();
  let committed = 0;
  for (let n = 0; goesOn(); n++) {
    const id = client * 1_000_000 + n;
    const pause = (): Promise<void> => (random(3) === 0 ? delay(random(25)) : Promise.resolve());
    await session.query(random(4) === 0 ? "begin isolation level repeatable read" : "begin");
    if (random(3) === 0)
      await session.query(
        `savepoint a; insert into line values (${id}, ${client}, 'undone'); update counter set lines = lines + 7 where client = ${client}; rollback to a`,
      );
    await pause();
    if (random(2) === 0) await session.query("savepoint b; savepoint c");
    await session.query(`insert into line values (${id}, ${client}, 'kept')`);
    await pause();
    await session.query(`update counter set lines = lines + 1 where client = ${client}`);
    await pause();
    const end = random(10);
    if (end === 0) await session.query("rollback");
    else if (end < 3) {
      await session.query(`prepare transaction '${rig.source.name} ${id}'`);
      await delay(random(40));
      await session.query(`${end === 1 ? "commit" : "rollback"} prepared '${rig.source.name} ${id}'`);
    } else await session.query("commit");
    if (end === 1 || end > 2) committed++;
  }
  await session.end();
  return committed;
}

async function read(rig: Rig, isolation: string, goesOn: () => boolean): Promise<number> {
  const reader = await rig.target.client();
  let reads = 0;
  while (goesOn()) {
    await reader.query(`begin isolation level ${isolation}`);
    for (let twice = 0; twice < 2; twice++) {
      expect((await reader.query(disagreement)).rows).toEqual([]);
      await delay(5);
    }
    await reader.query("commit");
    reads++;
  }
  await reader.end();
  return reads;
}

test("the visibility trap: of many writers whose commits come in any order each change arrives once, and no reader of the target sees half a transaction", async () => {
  const seed = Number(process.env["BUCARDO_SEED"] ?? Date.now() % 1_000_000);
  await using rig = await openRig({
    schema,
    tables: ["line", "counter"],
    sourceServer: await sharedServer(15, { max_prepared_transactions: 10 }),
  });
  await rig.source.query("insert into counter select i, 0 from generate_series(1, $1::int) i", [clients]);
  const end = performance.now() + seconds * 1000;
  let failed = false;
  const goesOn = (): boolean => performance.now() < end && !failed;
  const guard = <T>(work: Promise<T>): Promise<T> => work.catch((error: unknown) => ((failed = true), Promise.reject(error as Error)));
  let lines = 0;
  let runs = 0;
  const runOnce = async (): Promise<void> => {
    const { tables } = await rig.run();
    for (const table of tables) if (table.table === "public.line") lines += table.upserted;
    runs++;
  };
  const run = async (): Promise<void> => {
    while (goesOn()) await runOnce();
  };
  const housekeep = async (): Promise<number> => {
    await using session = await openSession(rig.source, "source");
    let rotated = 0;
    for (; goesOn(); await delay(20)) rotated += (await purge(session, { rotateBytes: 8192 })).rotated;
    return rotated;
  };
  const writing = Promise.all(
    Array.from({ length: clients }, (_, index) => guard(write(rig, index + 1, seededRandom(seed + index), goesOn))),
  );
  const [committed, , rotated, ...reads] = await Promise.all([
    writing,
    guard(run()),
    guard(housekeep()),
    guard(read(rig, "read committed", goesOn)),
    guard(read(rig, "repeatable read", goesOn)),
  ]).catch((error: unknown) => {
    throw new Error(`seed ${seed}`, { cause: error });
  });
  await runOnce();
  expect(await rig.differences(), `seed ${seed}`).toEqual([]);
  expect(lines, `lines sent, seed ${seed}`).toBe(committed.reduce((sum, each) => sum + each, 0));
  expect((await rig.run()).outcome).toBe("empty");
  expect(Math.min(runs, rotated, ...reads)).toBeGreaterThan(3);
});
