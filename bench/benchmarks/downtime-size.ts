import { Disposer } from "../../src/base/disposer.ts";
import { createDatabase, type TestDatabase } from "../../test/harness/database.ts";
import { createPgbench, fillPgbench } from "../../test/harness/pgbench.ts";
import { runProgram } from "../../test/harness/program.ts";
import { scratch } from "../../test/harness/scratch.ts";
import { writers } from "../../test/harness/writers.ts";
import type { BenchContext, Case, OpenCase } from "../benchmark.ts";
import { startPair, type ServerPair } from "../servers.ts";
import { ratioTarget, valueTarget } from "../target.ts";

/** Of pgbench's scale, which is about 15 MB on disk. */
type Sizes = Readonly<Record<string, number>>;

const clients = 4;
/** Of each client, in milliseconds: some 200 transactions a second together. */
const pauseMs = 15;

/** Whether the time that writers wait grows with the database: moves of two sizes stand ready, and each round rehearses the cutover of either. */
export function sizeCase(context: BenchContext): Case {
  const sizes: Sizes = context.quick ? { "0.1 GB": 7, "0.4 GB": 28 } : { "1 GB": 67, "6 GB": 400 };
  const [small, large] = Object.keys(sizes) as [string, string];
  return {
    name: "size",
    metrics: [
      { name: "seconds", unit: "s" },
      { name: "start", unit: "s for migrate start" },
    ],
    contenders: [small, large],
    reference: small,
    rounds: 7,
    setting: `the tables of pgbench, each with a key, on both servers; ${clients} clients with all in all some 200 tx/s; the real program: \`migrate start\`, then \`migrate cutover --rehearse\` in each round, with comparison and way back; fsync off`,
    targets: [
      ratioTarget("the same within 20 %", { contender: large, to: small, metric: "seconds", atMost: 1.2 }),
      valueTarget("less than 1 s", { contender: large, metric: "seconds", unit: "s", atMost: 1 }),
    ],
    open: () => openSizes(sizes),
  };
}

type Ready = {
  readonly old: TestDatabase;
  readonly scale: number;
  readonly startSeconds: number;
  readonly migrate: (line: string) => Promise<string>;
};

async function openSizes(sizes: Sizes): Promise<OpenCase> {
  await using opening = new Disposer();
  const servers = opening.use(await startPair());
  const home = opening.use(await scratch());
  // Both servers are clones of one, so that their first databases would have the same numbers and be taken for the same one.
  opening.use(await createDatabase(servers.target));
  const opened = opening.move();
  const ready = new Map<string, Promise<Ready>>();
  // Only what is wanted: gigabytes take minutes.
  const readyFor = (name: string): Promise<Ready> => {
    const known = ready.get(name) ?? prepare(opened, servers, home.path, sizes[name]!);
    ready.set(name, known);
    return known;
  };
  return {
    async measure(contender) {
      const { old, scale, startSeconds, migrate } = await readyFor(contender);
      await using load = writers(old, { clients, kind: "pgbench", scale, pauseMs, tolerant: true });
      await load.more(400);
      const { downtimeMs } = JSON.parse(await migrate("cutover --rehearse --json")) as { downtimeMs: number };
      return { seconds: downtimeMs / 1000, start: startSeconds };
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

async function prepare(stack: Disposer, servers: ServerPair, home: string, scale: number): Promise<Ready> {
  const old = stack.use(await createDatabase(servers.source));
  const young = stack.use(await createDatabase(servers.target));
  const client = await old.client();
  await createPgbench(client);
  await client.query("alter table public.pgbench_history add column id bigint generated always as identity primary key");
  await fillPgbench(client, scale);
  await client.query("vacuum (freeze, analyze)");
  await client.end();
  const env = { BUCARDO_FROM: old.url, BUCARDO_TO: young.url };
  const migrate = async (line: string): Promise<string> => {
    const { code, stdout, stderr } = await runProgram(["migrate", ...line.split(" ")], { cwd: home, env, timeoutMs: 3_600_000 });
    if (code !== 0) throw new Error(`migrate ${line}: ${stderr}${stdout}`);
    return stdout;
  };
  const began = performance.now();
  await migrate("start --jobs=2");
  return { old, scale, startSeconds: (performance.now() - began) / 1000, migrate };
}
