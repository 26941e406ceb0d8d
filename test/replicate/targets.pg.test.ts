import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { installCapture } from "../../src/capture/install.ts";
import { countDeltas } from "../../src/capture/pending.ts";
import { purge } from "../../src/capture/purge.ts";
import { releaseSync } from "../../src/capture/release.ts";
import { run } from "../../src/replicate/run.ts";
import { createDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { openRig, openSession, type Rig } from "./rig.ts";

const schema = "create table t (id int primary key, v text); create table u (id int primary key, v text)";

/** Another target, or another sync, over the source of a rig. */
async function openOther(rig: Rig, { sync = rig.syncId, target, major }: { sync?: string; target: string; major: 10 | 12 | 15 | 18 }) {
  const database = await createDatabase(await sharedServer(major));
  await database.query(schema);
  const sessions = { source: await openSession(rig.source, "source"), target: await openSession(database, target) };
  let remembered: number | null = null;
  return {
    database,
    async run() {
      const definition = rig.definition({ sync: { id: sync, name: "other" }, target });
      const result = await run({ definition, ...sessions, signal: new AbortController().signal, onProgress: () => {}, remembered });
      remembered = result.settledRuns;
      return result;
    },
    differences: () => equalTables(rig.source, database, ["t", "u"]),
    async [Symbol.asyncDispose]() {
      await sessions.source.close();
      await sessions.target.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

test("each target goes on at its own pace; a dead one misses nothing and holds nobody up", async () => {
  await using rig = await openRig({ majors: [15, 18], schema, tables: ["t", "u"], capture: false });
  await rig.capture(["target", "slow"]);
  await using slow = await openOther(rig, { target: "slow", major: 12 });
  await using session = await openSession(rig.source, "source");
  for (let round = 1; round <= 4; round++) {
    await rig.source.query(
      `insert into t select i, 'round ${round}' from generate_series(${round * 100}, ${round * 100 + 50}) i; update t set v = v || '+' where id % 3 = 0; delete from t where id % 7 = 0`,
    );
    await rig.source.query(round === 3 ? "truncate u; insert into u values (3, 'after')" : `insert into u values (${round}, 'u')`);
    await rig.run();
    expect(await rig.differences()).toEqual([]);
    await purge(session, { rotateBytes: 1 });
  }
  expect((await countDeltas(session)).map(({ target }) => target)).toEqual(["slow", "slow"]);
  await slow.run();
  expect(await slow.differences()).toEqual([]);
  expect(await countDeltas(session)).toEqual([]);
});

test("a target that joins later is copied and then follows; one that leaves takes its backlog along", async () => {
  await using rig = await openRig({ majors: [12, 15], schema, tables: ["t", "u"] });
  await rig.source.query("insert into t values (1, 'before'), (2, 'before')");
  await rig.run();
  await rig.capture(["target", "late"]);
  await using late = await openOther(rig, { target: "late", major: 18 });
  await rig.source.query("insert into t values (3, 'after'); delete from t where id = 1");
  await late.run();
  expect(await late.database.query("select * from t")).toEqual([{ id: 3, v: "after" }]);
  await rig.run();
  expect(await rig.differences()).toEqual([]);

  await using session = await openSession(rig.source, "source");
  await releaseSync(session, rig.syncId, { target: "late" });
  await rig.source.query("insert into t values (4, 'gone')");
  await rig.run();
  expect(await rig.differences()).toEqual([]);
  await expect(late.run()).rejects.toMatchObject({ code: "checkpoint-missing" });
});

test("two syncs over the same tables, to the same and to another target, do not meet", async () => {
  await using rig = await openRig({ majors: [18, 18], schema, tables: ["t", "u"] });
  const second = randomUUID();
  await using session = await openSession(rig.source, "source");
  await installCapture(session, {
    sync: { id: second, name: "other" },
    installation: rig.installation,
    targets: ["target", "elsewhere"],
    relations: rig.relations.map((relation) => ({ ...relation, autokick: true })),
  });
  expect(await rig.source.one("select count(*)::int as tables from bucardo.captured_table")).toEqual({ tables: 2 });
  await using elsewhere = await openOther(rig, { sync: second, target: "elsewhere", major: 10 });

  await rig.source.query("insert into t select i, 'x' from generate_series(1, 100) i; insert into u values (1, 'u')");
  await rig.run();
  await elsewhere.run();
  expect([await rig.differences(), await elsewhere.differences()]).toEqual([[], []]);

  // the second sync writes the same rows to the first one's target, later and again
  const { source, target } = await rig.sessions();
  const twice = () =>
    run({
      definition: rig.definition({ sync: { id: second, name: "other" } }),
      source,
      target,
      signal: new AbortController().signal,
      onProgress: () => {},
      remembered: null,
    });
  await rig.source.query("update t set id = id + 1000 where id < 10; delete from t where id > 90");
  await rig.run();
  expect((await twice()).outcome).toBe("good");
  expect(await rig.differences()).toEqual([]);

  await releaseSync(session, rig.syncId);
  await rig.source.query("truncate u; insert into t values (5000, 'still captured')");
  await elsewhere.run();
  await twice();
  expect([await rig.differences(), await elsewhere.differences()]).toEqual([[], []]);
  await releaseSync(session, second);
  expect(await rig.source.one("select count(*)::int as triggers from pg_trigger where not tgisinternal")).toEqual({ triggers: 0 });
});
