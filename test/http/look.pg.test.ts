import { afterAll, beforeAll, expect, test } from "vitest";
import { grains } from "../../src/control/sample.ts";
import { Historian } from "../../src/daemon/historian.ts";
import { metrics } from "../../src/http/metrics.ts";
import type { Change, Samples, Snapshot } from "../../src/http/page-types.ts";
import { connect } from "../../src/postgres/connect.ts";
import type { Session } from "../../src/postgres/session.ts";
import { sql } from "../../src/postgres/sql.ts";
import { waitFor } from "../harness/wait.ts";
import { Listener } from "./ask.ts";
import { openHttpRig, type HttpRig } from "./rig.ts";

let rig: HttpRig;
let control: Session;
beforeAll(async () => {
  rig = await openHttpRig();
  const { host, port, user, database: dbname } = rig.site.control.connection;
  control = await connect({ name: "control", host, port, user, dbname });
});
afterAll(async () => {
  await control?.close();
  await rig?.[Symbol.asyncDispose]();
});

/** What a page knows by now. */
function picture(listener: Listener): Snapshot {
  const began = listener.heard.findLastIndex(({ event }) => event === "snapshot");
  let now = listener.heard[began]?.data as Snapshot;
  for (const { event, data } of listener.heard.slice(began + 1)) if (event === "change") now = merge(now, data as Change);
  return now;
}

/** As src/http/page-types.ts says it is done. */
function merge(now: Snapshot, change: Change): Snapshot {
  const list = <Item>(
    items: readonly Item[],
    changed: { put: readonly Item[]; gone: readonly string[] } | undefined,
    keyOf: (item: Item) => string,
  ) => {
    const keys = new Set([...(changed?.gone ?? []), ...(changed?.put ?? []).map(keyOf)]);
    return [...items.filter((item) => !keys.has(keyOf(item))), ...(changed?.put ?? [])];
  };
  return {
    ...now,
    ...(change.daemon !== undefined && { daemon: change.daemon }),
    ...(change.trouble !== undefined && { trouble: change.trouble }),
    databases: list(now.databases, change.databases, (one) => one.name),
    syncs: list(now.syncs, change.syncs, (one) => one.name),
    targets: list(now.targets, change.targets, (one) => one.id),
  };
}

const written = (listener: Listener): number => picture(listener)?.targets.find(({ id }) => id === "pepper/B")?.lastGood?.upserted ?? 0;

test("a hundred pages see what happens as it happens, by one look for all of them", { timeout: 120_000 }, async () => {
  const pages = await Promise.all(Array.from({ length: 100 }, () => Listener.open(`${rig.url}/events`)));
  await waitFor(() => pages.every(({ heard }) => heard[0]?.event === "snapshot"), { what: "a snapshot on every page" });
  expect(picture(pages[0]!)).toMatchObject({
    site: { by: "daemon", hasControl: true, hasMigration: false },
    daemon: { state: "up" },
    databases: [{ name: "A" }, { name: "B" }],
    syncs: [{ name: "pepper", sources: ["A"], targets: ["B"], tables: 2, status: "active" }],
    targets: [{ id: "pepper/B" }],
    trouble: { control: null, migration: null },
  });
  await rig.site.databases[0]!.query("insert into account select n, 'x' from generate_series(1, 7) n");
  await waitFor(() => pages.every((page) => written(page) === 7), { what: "the run on every page", timeoutMs: 60_000 });
  const { sessions } = await control.one<{ sessions: number }>(
    sql(
      "test.sessions",
      "select count(*)::int as sessions from pg_stat_activity where application_name = 'bucardo http' and datname = current_database()",
    ),
  );
  expect(sessions).toBe(1);
  expect(pages[0]!.heard.map(({ id }) => Number(id))).toEqual(
    pages[0]!.heard.map(({ id }) => Number(id)).toSorted((one, other) => one - other),
  );

  await rig.site.ok("add sync salt dbs=A:source,B:target tables=account status=inactive");
  await waitFor(() => pages.every((page) => picture(page).syncs.some(({ name }) => name === "salt")), {
    what: "the new sync on every page",
    timeoutMs: 60_000,
  });
  await rig.site.ok("remove sync salt");
  await waitFor(() => pages.every((page) => !picture(page).syncs.some(({ name }) => name === "salt")), {
    what: "its end",
    timeoutMs: 60_000,
  });

  for (const page of pages) page[Symbol.dispose]();
  await waitFor(async () => (await rig.ask("/metrics")).text.includes("bucardo_http_listeners 0\n"), { what: "the pages to be forgotten" });
});

test("a page that does not read is dropped, others go on; too many are refused", { timeout: 120_000 }, async () => {
  using deaf = await Listener.open(`${rig.url}/events`, { reads: false });
  using page = await Listener.open(`${rig.url}/events`);
  await waitFor(() => page.heard.length > 0, { what: "the snapshot" });
  // Texts as large as a detail may be: every look has a change of megabytes.
  let turn = 0;
  const dropped = async (): Promise<boolean> => {
    await control.execute(sql("test.detail", "update bucardo.target_state set detail = repeat($1, 1500000)", [String(turn++ % 10)]));
    return (await rig.ask("/metrics")).text.includes("bucardo_http_listeners 1\n");
  };
  await waitFor(dropped, { what: "the deaf page to be dropped", timeoutMs: 60_000, everyMs: 300 });
  expect(page.ended).toBe(false);
  expect(deaf.response.complete).toBe(false);
  await control.execute(sql("test.detail", "update bucardo.target_state set detail = null"));
  await waitFor(() => picture(page).targets[0]?.detail === null, { what: "the other page to go on", timeoutMs: 60_000 });

  const crowd = await Promise.all(Array.from({ length: 205 }, () => Listener.open(`${rig.url}/events`).catch(() => null)));
  expect(crowd.filter((one) => one === null).length).toBeGreaterThan(0);
  expect(crowd.filter((one) => one !== null).length).toBeGreaterThan(150);
  for (const one of crowd) one?.[Symbol.dispose]();
});

const POINT = /^([a-z_]+)(\{[a-z_]+="(?:[^"\\\n]|\\.)*"(,[a-z_]+="(?:[^"\\\n]|\\.)*")*\})? (-?[\d.]+(e[+-]?\d+)?|NaN|\+Inf)$/;

/** Points by the family that was declared above them; a line that is neither is an error. */
function families(text: string): Map<string, string[]> {
  const seen = new Map<string, string[]>();
  let family = "";
  for (const line of text.trimEnd().split("\n")) {
    family = /^# (?:HELP|TYPE) (\w+) .+$/.exec(line)?.[1] ?? family;
    if (line.startsWith("#")) continue;
    if (!POINT.test(line) || !line.startsWith(family)) throw new Error(`no point of ${family}: ${line}`);
    seen.set(family, [...(seen.get(family) ?? []), line]);
  }
  return seen;
}

test("metrics are what Prometheus reads, and few", async () => {
  const answer = await rig.ask("/metrics");
  expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  const seen = families(answer.text);
  expect(seen.get("bucardo_daemon_up")).toEqual(["bucardo_daemon_up 1"]);
  expect(seen.get("bucardo_deltas_waiting")).toEqual([expect.stringMatching(/^bucardo_deltas_waiting\{sync="pepper",target="B"\} \d+$/)]);
  expect(seen.get("bucardo_rows_total")).toContain('bucardo_rows_total{sync="pepper",target="B",kind="upserted"} 7');
  expect(seen.get("bucardo_run_duration_seconds")?.at(-1)).toMatch(/_count [1-9]/);
  const allowed = new Set(["sync", "target", "db", "outcome", "kind", "class", "le", "version"]);
  for (const { labels } of metrics) expect(labels.filter((label) => !allowed.has(label))).toEqual([]);
});

test("health and readiness", async () => {
  expect(await rig.ask("/healthz")).toMatchObject({ status: 200, text: "ok\n" });
  expect(await rig.ask("/readyz")).toMatchObject({ status: 200, text: "ready\n" });
});

const samples = async (query: string): Promise<Samples> =>
  (await rig.ask(`/api/v1/list/samples?${query}`)).json()["output"] as unknown as Samples;
const count = async (): Promise<Record<string, number>> => {
  const rows = await control.query<{ step: number; count: number }>(
    sql("test.count", "select step, count(*)::int as count from bucardo.sample group by step"),
  );
  return Object.fromEntries(rows.map(({ step, count: many }) => [step, many]));
};

test("the daemon notes lag and work, and says it when asked", async () => {
  // The first note comes with the start, the next ones every ten seconds while there is something to tell.
  await rig.site.databases[0]!.query("insert into entry select n, 1 from generate_series(1, 5) n");
  const noted = async (): Promise<boolean> =>
    (await samples("sync=pepper")).series.some(({ points }) => points.some(([, , , rows]) => rows >= 5));
  await waitFor(noted, { what: "the work in the history", timeoutMs: 40_000, everyMs: 200 });
  const one = await samples("sync=pepper&target=B&span=2d");
  expect(one).toMatchObject({ stepSeconds: 300, series: [{ sync: "pepper", target: "B" }] });
  expect((await samples("span=90d")).series).toMatchObject([{ sync: null, target: null, points: [expect.any(Array)] }]);
  expect((await rig.ask("/api/v1/list/samples?sync=pepper&span=1y")).status).toBe(400);
});

test("history is folded and dropped: it has an end, whatever happened", async () => {
  await control.execute(sql("test.forget", "delete from bucardo.sample"));
  const fill = (step: number, back: string, rows: number) =>
    control.execute(
      sql(
        "test.fill",
        `insert into bucardo.sample (step, at, sync, target, deltas, lag_seconds, rows, bytes, runs, failed)
         select ${step}, t, s.id, 'B', 10, 2.5, ${rows}, 100, 1, 0
           from bucardo.sync s, generate_series(now() - interval '${back}', now(), interval '${step} seconds') t on conflict do nothing`,
      ),
    );
  await fill(10, "5 hours", 3);
  const historian = new Historian({ use: (work) => work(control) }, rig.served.daemon!.tally);
  await historian.fold();
  const first = await count();
  expect(first["10"]).toBeLessThanOrEqual(70 * 6 + 10);
  expect(first["300"]).toBeGreaterThanOrEqual(60);
  expect(first["3600"]).toBeGreaterThanOrEqual(5);
  // Sums and peaks stay what they were, and folding once more changes nothing.
  const all = async (step: number) =>
    control.one(
      sql(
        "test.sum",
        `select sum(rows)::int as rows, max(deltas)::int as deltas, max(lag_seconds) as lag from bucardo.sample where step = ${step}`,
      ),
    );
  expect(await all(3600)).toEqual({ rows: 1801 * 3, deltas: 10, lag: 2.5 });
  await historian.fold();
  expect(await all(3600)).toEqual({ rows: 1801 * 3, deltas: 10, lag: 2.5 });
  // Each span is whole, from grains that are folded and those that are not yet.
  const sum = async (span: string) =>
    (await samples(`sync=pepper&span=${span}`)).series[0]!.points.reduce((total, [, , , rows]) => total + rows, 0);
  expect(await sum("2d")).toBe(1801 * 3);
  expect(await sum("90d")).toBe(1801 * 3);
  // Years of it leave no more than each grain is kept for.
  await control.execute(sql("test.forget", "delete from bucardo.sample"));
  await fill(10, "1 day", 1);
  await fill(300, "60 days", 1);
  await fill(3600, "2 years", 1);
  await historian.fold();
  const last = await count();
  // Points of ours between those that are folded: so twice as many at most.
  for (const { step, keepSeconds } of grains) expect(last[String(step)], String(step)).toBeLessThanOrEqual((2 * keepSeconds) / step + 10);
});
