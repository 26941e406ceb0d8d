import { setTimeout as delay } from "node:timers/promises";
import { Disposer } from "../../src/base/disposer.ts";
import { copyRows } from "../../test/harness/copy-rows.ts";
import { waitFor } from "../../test/harness/wait.ts";
import { switchOver } from "../../test/migrate/rig.ts";
import { Rig } from "../../test/replicate/rig.ts";
import { Application } from "../application.ts";
import type { BenchContext, Benchmark, Case, OpenCase } from "../benchmark.ts";
import { native } from "../peers/native.ts";
import { openSite, start } from "../peers/ours.ts";
import type { DatabasePair } from "../peers/peer.ts";
import { startPair } from "../servers.ts";
import { clonePair, keyedTables, makeTemplates, mark, marker, requireEqual, untilMarked } from "../tables.ts";
import { ratioTarget, valueTarget } from "../target.ts";
import { sizeCase } from "./downtime-size.ts";

const clients = 8;
const small = ["public.pgbench_tellers", "public.pgbench_branches"] as const;

export const downtime: Benchmark = {
  name: "downtime",
  proves: "How long an application cannot write while it moves to the other server.",
  begins: "the first write begins that is refused or has to wait (by hand: the application is told to stop)",
  ends: "the first write is accepted on the target",
  warmUp: "3 s of load, and runs until little waits",
  peers: ["ours", "native"],
  cases: (context) => [
    downtimeCase(context, "full-load", null, false),
    downtimeCase(context, "full-load-verified", null, true),
    downtimeCase(context, "500-tps", 500, false),
    downtimeCase(context, "500-tps-verified", 500, true),
    sizeCase(context),
  ],
};

function downtimeCase(context: BenchContext, name: string, rate: number | null, verify: boolean): Case {
  const scale = context.quick ? 5 : 50;
  const limit = verify ? 0.6 : 0.3;
  return {
    name,
    metrics: [
      { name: "seconds", unit: "s" },
      { name: "tps", unit: "1/s before it" },
    ],
    contenders: ["ours", "native", "by hand"],
    reference: "native",
    rounds: 5,
    setting: `${(scale * 100_000).toLocaleString("en-US")} accounts, ${clients} clients, ${rate === null ? "as fast as they can" : `${rate} tx/s`}, each transaction updates an account, a teller and a branch; ours: cutover in one process, ${verify ? "with" : "without"} verification, way back armed; native: its publication and subscription, the application is stopped, the last change awaited${verify ? ", all rows of both sides hashed" : ""}; by hand: the article's steps (stop the application, kick, copy the small tables${verify ? ", compare" : ""}); fsync off`,
    targets: [
      valueTarget(`less than ${limit} s`, { contender: "ours", metric: "seconds", unit: "s", atMost: limit }),
      // Without verification the two are not alike: native refuses no writer, carries no sequence and arms no way back.
      ...(verify ? [ratioTarget("no longer than native's", { contender: "ours", to: "native", metric: "seconds", atMost: 1 })] : []),
    ],
    open: () => openDowntime(scale, rate, verify),
  };
}

async function openDowntime(scale: number, rate: number | null, verify: boolean): Promise<OpenCase> {
  await using opening = new Disposer();
  const servers = opening.use(await startPair());
  await makeTemplates(servers, scale);
  const opened = opening.move();
  return {
    async measure(contender) {
      await using pair = await clonePair(servers);
      // Without a key it could not be in a sync; nothing here writes to it.
      for (const side of [pair.source, pair.target]) await side.query("drop table pgbench_history");
      const application = { clients, rate, accounts: scale * 100_000 };
      return await ways[contender]!(pair, application, verify);
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

const ways: Readonly<Record<string, (pair: DatabasePair, load: Load, verify: boolean) => Promise<Record<string, number>>>> = {
  ours,
  native: byNative,
  "by hand": byHand,
};

type Load = ConstructorParameters<typeof Application>[2];

async function ours(pair: DatabasePair, load: Load, verify: boolean): Promise<Record<string, number>> {
  const rig = new Rig(pair.source, pair.target, { schema: "", tables: [...keyedTables, marker] });
  try {
    await rig.capture();
    await rig.run();
    await using application = new Application(pair.source, pair.target, load);
    const tps = await warmed(application);
    for (let turn = 0; turn < 3; turn++) await rig.run();
    await switchOver(rig, { verify });
    const seconds = await window(application);
    return { seconds, tps };
  } finally {
    await rig.dropSessions();
  }
}

/** What its users do: stop the application, wait until the subscriber has it all, let the application go on there. No way back. */
async function byNative(pair: DatabasePair, load: Load, verify: boolean): Promise<Record<string, number>> {
  await using _replication = await native.replicate(pair, [...keyedTables, marker], "live");
  await using application = new Application(pair.source, pair.target, load);
  const tps = await warmed(application);
  await application.hold();
  await mark(pair.source, 2);
  await untilMarked(pair.target, 2, 300_000, 1);
  if (verify) await requireEqual(pair, keyedTables);
  application.letGo();
  const seconds = await window(application);
  return { seconds, tps };
}

async function byHand(pair: DatabasePair, load: Load, verify: boolean): Promise<Record<string, number>> {
  const site = await openSite(pair, [keyedTables[0], marker], false);
  await using _replication = await start(site, pair);
  await using application = new Application(pair.source, pair.target, load);
  const tps = await warmed(application);
  for (let turn = 0; turn < 3; turn++) await site.home.ok("kick bench 0");
  await application.hold();
  await site.home.ok("kick bench 0");
  for (const table of small) {
    await pair.target.query(`truncate ${table}`);
    await copyRows(pair.source, pair.target, table);
  }
  if (verify) await site.home.ok("compare bench", { timeoutMs: 300_000 });
  application.letGo();
  const seconds = await window(application);
  return { seconds, tps };
}

async function warmed(application: Application): Promise<number> {
  await waitFor(() => application.commits > 100, { what: "the application to write" });
  const before = application.commits;
  await delay(3000);
  return (application.commits - before) / 3;
}

async function window(application: Application): Promise<number> {
  await waitFor(() => application.acceptedAt !== null, { what: "a write on the target", timeoutMs: 60_000 });
  return ((application.acceptedAt ?? NaN) - (application.refusedAt ?? NaN)) / 1000;
}
