import { phases, phaseWords } from "../../src/migrate/phase.ts";
import type { MigrationView, RunDetail, Samples, Snapshot, SyncView, TargetView } from "../../src/http/page-types.ts";

/** Numbers that look like life and are the same each time. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

const before = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

/** An installation as the page sees it: `syncs` syncs, of which some lag, fail, rest or run. */
export function madeUpSnapshot(syncs: number): Snapshot {
  const roll = dice(7);
  const databases = new Set<string>();
  const made = Array.from({ length: syncs }, (_one, index) => {
    const shop = `shop_${String(Math.floor(index / 4)).padStart(2, "0")}`;
    const [source, target] = [shop, index % 4 === 3 ? "warehouse" : `${shop}_copy${index % 4 === 2 ? "2" : ""}`];
    databases.add(source).add(target);
    return syncOf(`${shop}_${["orders", "customers", "stock", "facts"][index % 4]}`, source, target, index, roll);
  });
  return {
    at: before(0),
    site: { version: "6.0.0-alpha.1", by: "daemon", hasControl: true, hasMigration: true },
    daemon: {
      state: "up",
      pid: 4711,
      host: "db-ops",
      version: "6.0.0-alpha.1",
      reason: null,
      started: before(86_400),
      ready: before(86_399),
      stopped: null,
    },
    databases: [...databases].map((name, index) => ({
      name,
      status: "active",
      place: `${name.startsWith("w") ? "dw1" : `db${(index % 9) + 1}`}.example:5432/${name}`,
      deltas: {
        bytes: Math.floor(roll() * 4e8),
        growth: roll() * 1e4,
        secondsLeft: index === 0 ? 7200 : null,
        note: index === 0 ? "Deltas fill the quota in 2 h." : null,
        checked: before(5),
      },
    })),
    groups: made.slice(0, 12).map(({ sync }) => ({
      name: sync.dbgroup,
      members: [
        { db: sync.sources[0] ?? "", role: "source", priority: 0 },
        { db: sync.targets[0] ?? "", role: "target", priority: 0 },
      ],
    })),
    syncs: made.map(({ sync }) => sync),
    targets: made.map(({ target }) => target),
    migration: madeUpMove(),
    trouble: { control: null, migration: null },
  };
}

const ERROR = {
  code: "unique-violation",
  message: 'table "public.orders": a row is refused by unique index "orders_number_key"',
  advice: "Another row of the target has the same number. Mend it there, then `bucardo kick` the sync.",
  sqlstate: "23505",
};

function syncOf(name: string, source: string, target: string, index: number, roll: () => number): { sync: SyncView; target: TargetView } {
  const kind = index % 17 === 5 ? "Stopped" : index % 11 === 3 ? "Fetching" : index % 23 === 9 ? "Paused" : "Good";
  const deltas = kind === "Good" ? (roll() < 0.6 ? 0 : Math.floor(roll() * 400)) : Math.floor(roll() * 250_000);
  const run = {
    id: index * 10 + 1,
    reason: "change",
    started: before(9),
    ended: before(8),
    upserted: 1200,
    deleted: 7,
    truncates: 0,
    bytes: 182_000,
  };
  return {
    sync: {
      name,
      word: kind,
      status: "active",
      paused: kind === "Paused",
      ready: true,
      autokick: true,
      checktime: null,
      onetimecopy: 0,
      onError: index % 6 === 0 ? "set_aside" : "stop",
      priority: 0,
      relgroup: name,
      dbgroup: `${name}_dbs`,
      sources: [source],
      targets: [target],
      tables: 1 + Math.floor(roll() * 80),
      sequences: 2,
      kicksWaiting: 0,
    },
    target: {
      id: `${name}/${target}`,
      sync: name,
      target,
      state: kind === "Stopped" ? "Stopped" : kind === "Paused" ? "Paused" : "Idle",
      detail: kind === "Stopped" ? ERROR.message : null,
      lag: { deltas, ageSeconds: deltas === 0 ? 0 : deltas / 40, checked: before(1) },
      setAside: index % 12 === 6 ? 3 : 0,
      copy:
        index % 12 === 5
          ? {
              tables: 3,
              tablesDone: 1,
              rows: 4_100_000,
              diskBytes: 9e9,
              diskBytesDone: 3.2e9,
              bytesPerSecond: 61e6,
              secondsLeft: 95,
              paused: false,
              active: ["public.events"],
            }
          : null,
      running:
        kind === "Fetching"
          ? {
              id: index * 10 + 2,
              reason: "change",
              started: before(30),
              step: "fetching",
              table: "public.orders",
              rowsDone: 41_000,
              rowsExpected: 180_000,
              rate: 5200,
              bytesDone: 9e6,
            }
          : null,
      lastGood: { ...run, outcome: "good", error: null },
      lastBad: kind === "Stopped" ? { ...run, id: run.id + 1, outcome: "bad", error: ERROR } : null,
    },
  };
}

export function madeUpRuns(tables: number): RunDetail[] {
  return Array.from({ length: 30 }, (_one, index) => ({
    id: 1000 - index,
    sync: "s",
    target: "t",
    reason: "change",
    started: before(index * 60 + 2),
    ended: before(index * 60 + 1.4),
    outcome: index === 4 ? "bad" : "good",
    upserted: 120 * index,
    deleted: index,
    truncates: 0,
    bytes: 9000 * index,
    error: index === 4 ? ERROR : null,
    tables:
      index === 0
        ? Array.from({ length: tables }, (_table, number) => ({
            table: `public.part_${String(number).padStart(5, "0")}`,
            upserted: number % 97,
            deleted: number % 5,
            refilled: number === 3,
            why: "TRUNCATE",
            bytes: number * 31,
            ms: number % 40,
          }))
        : [],
  }));
}

export function madeUpSamples(): Samples {
  const roll = dice(3);
  const now = Math.floor(Date.now() / 10_000) * 10;
  let lag = 400;
  return {
    from: new Date((now - 3600) * 1000).toISOString(),
    to: new Date(now * 1000).toISOString(),
    stepSeconds: 10,
    gapSeconds: 40,
    series: [
      {
        sync: "s",
        target: "t",
        points: Array.from({ length: 360 }, (_one, index) => {
          lag = Math.max(0, lag + (roll() - 0.52) * 300 + (index > 200 && index < 220 ? 900 : 0) - (index >= 220 ? lag * 0.08 : 0));
          return [now - 3600 + index * 10, Math.round(lag), lag / 120, Math.round(roll() * 4000), Math.round(roll() * 1e6), 3, 0] as const;
        }).filter((_point, index) => index < 90 || index > 110),
      },
    ],
  };
}

const PHASES = phases;

/** In the middle of the copy; `ready`: where a cutover may come, after a rehearsal. */
export function madeUpMove(ready = false): MigrationView {
  const at = PHASES.indexOf(ready ? "ready" : "copy");
  const GB = 1024 ** 3;
  return {
    id: "1",
    from: "old.example:5432/shop",
    to: "new.example:5432/shop",
    fromDatabase: "shop",
    toDatabase: "shop_new",
    startedAt: before(7600),
    elapsedMs: 7_600_000,
    working: ready ? null : "bucardo migrate start",
    openSide: "old",
    decided: false,
    phase: PHASES[at] ?? "copy",
    phases: PHASES.map((name, index) => ({
      name,
      words: phaseWords[name],
      state: index < at ? "done" : index === at ? "now" : "waits",
      tookMs: index < at ? 4200 * (index + 1) : index === at ? 3_600_000 : null,
    })),
    progress: ready
      ? null
      : {
          doing: "public.accounts",
          done: 41.3 * GB,
          expected: 129 * GB,
          unit: "bytes",
          rate: 142 * 1024 * 1024,
          secondsLeft: 640,
          at: before(1),
          tables: [
            ...["accounts", "orders", "order_lines"].map((name, index) => ({
              table: `public.${name}`,
              done: (30 - index * 9) * GB,
              expected: (80 - index * 25) * GB,
              state: "copies" as const,
            })),
            { table: "public.events", done: 0, expected: 12 * GB, state: "waits" as const },
          ],
        },
    lag: ready ? { deltas: 12, ageSeconds: 0.4 } : { deltas: 48_210, ageSeconds: 812 },
    tables: 214,
    sequences: 96,
    steps: PHASES.slice(0, at).map((phase, index) => ({
      phase,
      began: before(7600 - index * 60),
      ended: before(7570 - index * 60),
      outcome: "done",
      detail: null,
    })),
    failure: null,
    turn: ready
      ? {
          direction: "cutover",
          rehearsal: true,
          began: before(60),
          ended: before(59),
          gates: [
            { name: "lag", state: "ok", why: "12 deltas wait, the last run took 18 ms", remedy: null },
            { name: "compare", state: "ok", why: "214 tables are equal", remedy: null },
            { name: "statistics", state: "warn", why: "2 tables have no statistics", remedy: "ANALYZE them." },
          ],
          timings: [
            { step: "fence", at: 0, ms: 22, detail: null },
            { step: "last run", at: 22, ms: 140, detail: "31 rows" },
            { step: "sequences", at: 162, ms: 40, detail: "96" },
          ],
          lines: ["Gates are open.", "Rehearsed."],
          outcome: "rehearsed",
          downtimeMs: 202,
          error: null,
        }
      : null,
    next: ready ? "cutover" : null,
  };
}
