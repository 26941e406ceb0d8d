import { expect, test } from "vitest";
import type { Major } from "../harness/binaries.ts";
import { createDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { createPgbench, fillPgbench, pgbenchTables } from "../harness/pgbench.ts";
import { runProgram, spawnProgram } from "../harness/program.ts";
import { scratch } from "../harness/scratch.ts";
import { startServer } from "../harness/server.ts";
import { writers } from "../harness/writers.ts";
import { moveRichApplication } from "./rich-move.ts";

const moves: readonly (readonly [from: Major, to: Major])[] = [
  [10, 18],
  [11, 12],
  [13, 17],
  [15, 16],
  [18, 14],
];

test.for(moves)("everything that an application may have moves from %i to %i while it changes", ([from, to]) =>
  moveRichApplication(from, to),
);

test("500 small tables and a large one, killed at random times, arrive whole", async () => {
  await using home = await scratch();
  await using older = await startServer({ major: 13 });
  await using younger = await startServer({ major: 17 });
  await using old = await createDatabase(older, { name: "app" });
  await using young = await createDatabase(younger, { name: "app" });
  const client = await old.client();
  await createPgbench(client);
  await fillPgbench(client, 5);
  await client.query(`do $$ begin for n in 1..500 loop
    execute format('create table small_%s (id int primary key, body text unique)', n);
    execute format('insert into small_%s select i, i || ''%s'' from generate_series(1, 20) i', n, n);
  end loop; end $$`);
  const call = (line: string) => ({
    argv: ["migrate", ...line.split(" ")],
    options: { cwd: home.path, env: { BUCARDO_FROM: old.url, BUCARDO_TO: young.url }, timeoutMs: 300_000 },
  });
  const seed = Number(process.env["BUCARDO_SEED"] ?? Date.now() % 1_000_000);
  {
    await using clients = writers(old, { clients: 3, kind: "pgbench", scale: 5, pauseMs: 5, tolerant: true });
    let state = seed + 1;
    for (let kills = 0; kills < 12; kills++) {
      const { argv, options } = call("start --jobs=2");
      await using running = await spawnProgram(argv, options);
      state = (state * 48_271) % 2_147_483_647;
      const timer = setTimeout(() => running.kill("SIGKILL"), 200 + (state % 6000));
      const { code } = await running.ended(options.timeoutMs).finally(() => clearTimeout(timer));
      if (code === 0) break;
    }
    for (const line of ["start --jobs=2", "cutover --yes --budget=60"]) {
      const { argv, options } = call(line);
      expect({ seed, ...(await runProgram(argv, options)) }).toMatchObject({ seed, code: 0, stderr: "" });
    }
    await clients.stop();
  }
  const small = Array.from({ length: 500 }, (_, index) => `public.small_${index + 1}`);
  expect({ seed, differences: await equalTables(old, young, [...pgbenchTables, ...small]) }).toEqual({ seed, differences: [] });
});
