import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { resolveSettings } from "../../src/config/setting.ts";
import { grains, readSamples, writeSamples } from "../../src/control/sample.ts";
import { Historian } from "../../src/daemon/historian.ts";
import { Tally } from "../../src/daemon/tally.ts";
import { serveHttp } from "../../src/http/place.ts";
import type { Snapshot } from "../../src/http/page-types.ts";
import { connect } from "../../src/postgres/connect.ts";
import { sql } from "../../src/postgres/sql.ts";
import { openSite } from "../cli/site.ts";
import { memoryLog } from "../daemon/memory-log.ts";
import { waitFor } from "../harness/wait.ts";
import { Listener } from "./ask.ts";

const SYNCS = 200;
const TABLES = 10_000;
const PAGES = 100;

const DEFINITIONS = `
  insert into bucardo.db (name, dbname) values ('A', 'a'), ('B', 'b');
  insert into bucardo.dbgroup (name) select 'g' || n from generate_series(1, ${SYNCS}) n;
  insert into bucardo.dbgroup_member (dbgroup, db, role) select 'g' || n, d.db, d.role from generate_series(1, ${SYNCS}) n, (values ('A', 'source'), ('B', 'target')) d (db, role);
  insert into bucardo.relgroup (name) select 'r' || n from generate_series(1, ${SYNCS}) n;
  insert into bucardo.relation (db, schema_name, relation_name, kind) select 'A', 'public', 't' || n, 'table' from generate_series(1, ${TABLES}) n;
  insert into bucardo.relgroup_member (relgroup, relation) select 'r' || (id % ${SYNCS} + 1), id from bucardo.relation;
  insert into bucardo.sync (id, name, relgroup, dbgroup, ready) select md5(n::text)::uuid, 's' || n, 'r' || n, 'g' || n, true from generate_series(1, ${SYNCS}) n;
  insert into bucardo.run (sync, target, reason, ended_at, outcome, upserted) select id, 'B', 'change', now(), 'good', 7 from bucardo.sync;
  insert into bucardo.target_state (sync, target, state, deltas, lag_seconds, checked_at, last_good) select sync, 'B', 'Idle', 5, 1.5, now(), id from bucardo.run;`;

const HISTORY = grains
  .map(
    ({ step, keepSeconds }) => `insert into bucardo.sample (step, at, sync, target, deltas, lag_seconds, rows, bytes, runs, failed)
      select ${step}, to_timestamp(floor(extract(epoch from t) / ${step}) * ${step}), s.id, 'B', 5, 1.5, 7, 700, 1, 0
        from bucardo.sync s, generate_series(now() - interval '${keepSeconds - step} seconds', now(), interval '${step} seconds') t on conflict do nothing;`,
  )
  .join("\n");

test("200 syncs, 10 000 tables and 100 pages that see every change cost little", { timeout: 600_000 }, async () => {
  await using site = await openSite({ majors: [15] });
  const { host, port, user, database: dbname } = site.control.connection;
  await using control = await connect({ name: "control", host, port, user, dbname });
  await control.script(sql("test.definitions", DEFINITIONS));
  await control.script(sql("test.history", HISTORY));
  await control.script(sql("test.analyze", "analyze"));
  const timed = async <T>(work: () => Promise<T>): Promise<[number, T]> => {
    const began = performance.now();
    const value = await work();
    return [Math.round(performance.now() - began), value];
  };

  const [sampleMs, written] = await timed(() => writeSamples(control, new Date(), [], true));
  expect(written).toBe(SYNCS);
  const historian = new Historian({ use: (work) => work(control) }, new Tally());
  const [firstFoldMs] = await timed(() => historian.fold());
  const [foldMs] = await timed(() => historian.fold());
  const [oneMs] = await timed(() => readSamples(control, { step: 3600, seconds: 90 * 86_400, sync: "s7", target: null }));
  const [allMs, all] = await timed(() => readSamples(control, { step: 3600, seconds: 90 * 86_400, sync: null, target: null }));
  expect(all.length).toBeGreaterThan(2000);
  const { rows, bytes } = await control.one<{ rows: number; bytes: number }>(
    sql("test.size", "select count(*)::int as rows, pg_total_relation_size('bucardo.sample')::int8 as bytes from bucardo.sample"),
  );

  const env = { HOME: site.home, BUCARDO_HTTP: "127.0.0.1:0" };
  const config = loadConfig({ argvOptions: {}, env, cwd: site.home, home: site.home });
  const served = {
    program: "bucardo",
    version: "test",
    config,
    env,
    cwd: site.home,
    log: memoryLog(),
    daemon: null,
    control: true,
    move: null,
  };
  await using serving = await serveHttp(served, resolveSettings({ http: "127.0.0.1:0" }));
  const pages = await Promise.all(Array.from({ length: PAGES }, () => Listener.open(`${serving.url}/events`)));
  await waitFor(() => pages.every(({ heard }) => heard.length > 0), { what: "the snapshots", timeoutMs: 60_000 });
  const snapshot = pages[0]!.heard[0]?.data as Snapshot;
  expect([snapshot.syncs.length, snapshot.syncs[0]?.tables]).toEqual([SYNCS, TABLES / SYNCS]);
  const cpu = process.cpuUsage();
  const [began, heard] = [performance.now(), pages[0]!.heard.length];
  await waitFor(
    async () => {
      await control.execute(sql("test.lag", "update bucardo.target_state set deltas = deltas + 1, checked_at = clock_timestamp()"));
      return pages.every((page) => page.heard.length >= heard + 10);
    },
    { what: "ten changes of every target on every page", timeoutMs: 120_000, everyMs: 250 },
  );
  const spent = process.cpuUsage(cpu);
  const seconds = (performance.now() - began) / 1000;
  const share = (spent.user + spent.system) / 1e6 / seconds;
  for (const page of pages) page[Symbol.dispose]();
  const measured = {
    sampleMs,
    firstFoldMs,
    foldMs,
    oneMs,
    allMs,
    rows,
    megabytes: Math.round(bytes / 1e6),
    snapshotBytes: JSON.stringify(snapshot).length,
    cpuShare: Number(share.toFixed(2)),
    residentMegabytes: Math.round(process.memoryUsage.rss() / 1e6),
  };
  // Server, a hundred clients that parse, and the writer are one process here.
  expect(measured, JSON.stringify(measured)).toMatchObject({ rows: expect.any(Number) });
  expect(rows).toBeLessThan(SYNCS * 3300);
  expect(sampleMs).toBeLessThan(1000);
  expect(foldMs).toBeLessThan(5000);
  expect(share, JSON.stringify(measured)).toBeLessThan(0.9);
  if (process.env["BUCARDO_MEASURE"] === "1") process.stdout.write(`${JSON.stringify(measured)}\n`);
});
