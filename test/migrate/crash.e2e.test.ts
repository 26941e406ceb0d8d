import { fileURLToPath } from "node:url";
import { readFile } from "node:fs/promises";
import { beforeAll, expect, test } from "vitest";
import { cutover, type CutoverContext } from "../../src/migrate/cutover.ts";
import type { TestDatabase } from "../harness/database.ts";
import { exec, type Finished } from "../harness/exec.ts";
import { needsProgram } from "../harness/needs-program.ts";
import { startPgBouncer } from "../harness/pgbouncer.ts";
import { ensureBuilt } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";
import { openRig, type Rig } from "../replicate/rig.ts";
import { contextOf, describe } from "./rig.ts";

// Not within the time of whichever test comes first.
beforeAll(ensureBuilt, 240_000);

const child = fileURLToPath(new URL("cutover-child.mjs", import.meta.url));

async function inChild(rig: Rig, point: string, change: Partial<CutoverContext> = {}): Promise<Finished> {
  const side = (name: string, { connection }: TestDatabase) => {
    const { host, port, user, database } = connection;
    return { name, place: `${host}:${port}/${database}`, host, port, user, dbname: database };
  };
  const { signal: _, onEvent: __, ...context } = contextOf(rig, change);
  const job = JSON.stringify({ ...context, from: side("source", rig.source), to: side("target", rig.target) });
  return exec(process.execPath, [child, job], { env: { ...process.env, BUCARDO_POINT: `${point}=kill` } });
}

async function ready(): Promise<Rig> {
  const rig = await openRig({ schema: "create table t (id int primary key, v text); create sequence s", tables: ["t"], sequences: ["s"] });
  await rig.source.query("insert into t select i, 'x' from generate_series(1, 10) i");
  return rig;
}

test.each([
  ["replicate.target-committed", false],
  ["migrate.armed", true],
  ["migrate.closed", true],
  ["migrate.last-run", true],
] as const)(
  "H20: killed at %s, the old side takes writes again by itself, and the next command says so and succeeds",
  async (point, wasArmed) => {
    await using rig = await ready();
    // The window is to come to the point within it, and the fence is waited for that long.
    const killed = await inChild(rig, point, { budgetMs: 4000 });
    expect(killed, killed.stderr).toMatchObject({ signal: "SIGKILL" });
    await waitFor(() => rig.source.query("update t set v = 'open' where id = 1"), { what: "an open source" });
    const report = await cutover(contextOf(rig));
    expect(describe(report)).toMatch(/^switched/);
    expect(report.warnings.join()).toContain(wasArmed ? "An earlier cutover broke off" : "");
    expect(await rig.differences()).toEqual([]);
  },
);

test.each(["migrate.decided", "migrate.opened"])("killed at %s, it is decided: the next command finishes it", async (point) => {
  await using rig = await ready();
  const killed = await inChild(rig, point);
  expect(killed, killed.stderr).toMatchObject({ signal: "SIGKILL" });
  await expect(rig.source.query("update t set v = 'late'")).rejects.toMatchObject({ code: "BU001" });
  const report = await cutover(contextOf(rig));
  expect(describe(report)).toMatch(/^switched/);
  expect(report.warnings.join()).toContain("decided but not finished");
  await rig.target.query("update t set v = 'new'");
  await expect(rig.source.query("update t set v = 'late'")).rejects.toMatchObject({ code: "BU001" });
  expect(await cutover(contextOf(rig))).toMatchObject({ outcome: "switched", downtimeMs: null, timings: [] });
});

async function killedWithPooler(pgbouncer: string, point: string, rehearse: boolean): Promise<void> {
  await using rig = await ready();
  await using bouncer = await startPgBouncer(pgbouncer, rig.source);
  const before = await readFile(bouncer.ini, "utf8");
  const { host, port } = rig.target.server;
  const pooler = {
    console: { name: "pooler", host: "127.0.0.1", port: bouncer.port, user: "postgres", dbname: "pgbouncer" },
    database: "shop",
    ini: bouncer.ini,
    to: { host, port, dbname: rig.target.name },
  };
  const client = await bouncer.client();
  await client.query("update public.t set v = 'before' where id = 1");
  const killed = await inChild(rig, point, { poolers: [pooler] });
  expect(killed, killed.stderr).toMatchObject({ signal: "SIGKILL" });
  const waiting = client.query("update public.t set v = 'waited' where id = 2");
  const report = await cutover(contextOf(rig, { poolers: [pooler], rehearse }));
  expect(describe(report)).toMatch(rehearse ? /^rehearsed/ : /^switched/);
  await waiting;
  await client.end();
  const repointed = `host=${host} port=${port} dbname=${rig.target.name}`;
  expect(await readFile(bouncer.ini, "utf8")).toBe(rehearse ? before : before.replace(/host=\S+ port=\S+ dbname=\S+/, repointed));
  const side = rehearse ? rig.source : rig.target;
  expect(await side.query("select v from t where id < 3 order by id")).toEqual([{ v: "before" }, { v: "waited" }]);
}

test("killed with a pooler paused and repointed: the next command puts it back, its clients waited and see no error", async (context) => {
  await killedWithPooler(needsProgram(context, "pgbouncer").pgbouncer, "migrate.repointed", true);
});

test("killed after the decision with a pooler: the next command lets its clients go on at the new side", async (context) => {
  await killedWithPooler(needsProgram(context, "pgbouncer").pgbouncer, "migrate.decided", false);
});
