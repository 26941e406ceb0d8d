import { expect, test } from "vitest";
import { emptyDelta } from "../../src/capture/empty.ts";
import { waitFor } from "../harness/wait.ts";
import { openRig, openSession } from "../replicate/rig.ts";

test("a daemon that stands still while it keeps writers from a delta table is ended by the server, and they go on", async () => {
  await using rig = await openRig({ schema: "create table t (id int primary key, v text)", tables: ["t"] });
  await rig.source.query("insert into t values (1, 'first')");
  await using halted = await openSession(rig.source, "source");
  halted.one = () => new Promise(() => undefined); // the machine sleeps before the question that follows the lock
  void emptyDelta(halted, { captured: 1, generation: 1, current: true, bytes: 8192 }, { quiet: null });
  const locked = "select from pg_locks where pid = $1 and mode = 'ShareRowExclusiveLock' and granted";
  await waitFor(async () => (await rig.source.query(locked, [halted.backendPid])).length === 1, { what: "the lock to be held" });
  await rig.source.query("update t set v = 'second'");
  expect(await rig.source.query(locked, [halted.backendPid])).toEqual([]);
  await waitFor(() => halted.lost.aborted, { what: "the connection to be lost" });
});
