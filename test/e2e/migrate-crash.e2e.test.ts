import { expect, test } from "vitest";
import { Disposer } from "../../src/base/disposer.ts";
import { phases } from "../../src/migrate/phase.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { footprint } from "../harness/footprint.ts";
import { createPgbench, fillPgbench, pgbenchTables } from "../harness/pgbench.ts";
import { runProgram } from "../harness/program.ts";
import { scratch } from "../harness/scratch.ts";
import { startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait.ts";
import { writers } from "../harness/writers.ts";

/** Two servers with a pgbench database on the old one, and the program between them. */
async function openMove() {
  const stack = new Disposer();
  const home = stack.use(await scratch());
  const older = stack.use(await startServer({ major: 13 }));
  const younger = stack.use(await startServer({ major: 18 }));
  const old = stack.use(await createDatabase(older, { name: "app" }));
  const young = stack.use(await createDatabase(younger, { name: "app" }));
  const client = await old.client();
  await createPgbench(client);
  await fillPgbench(client, 1);
  await client.query("create index on public.pgbench_accounts (abalance)");
  const run = (line: string, point?: string) =>
    runProgram(["migrate", ...line.split(" ")], {
      cwd: home.path,
      env: { BUCARDO_FROM: old.url, BUCARDO_TO: young.url, ...(point !== undefined && { BUCARDO_POINT: point }) },
      timeoutMs: 120_000,
    });
  return { old, young, run, [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
}

test("killed after every single phase, and within each, the same command goes on where it stood", { timeout: 240_000 }, async () => {
  await using move = await openMove();
  {
    await using clients = writers(move.old, { clients: 2, kind: "pgbench", pauseMs: 20, tolerant: true });
    // Each call is killed when its first phase is done, so it gets one phase further each time; in between, when the next has begun.
    let calls = 0;
    for (let left = true; left; calls++) {
      const { code, signal, stderr } = await move.run(
        "start --jobs=2",
        calls % 4 === 3 ? "migrate.phase-begun=kill:3" : "migrate.phase-done=kill",
      );
      expect({ signal, stderr }).toEqual({ signal: code === 0 ? null : "SIGKILL", stderr: "" });
      left = code !== 0;
      expect(calls).toBeLessThan(phases.length * 2);
    }
    expect(calls).toBeGreaterThan(phases.length / 2);
    await clients.more(20);
    expect(await move.run("cutover --yes --budget=60")).toMatchObject({ code: 0, stderr: "" });
  }
  expect(await equalTables(move.old, move.young, pgbenchTables)).toEqual([]);
});

test(
  "killed while it compares: before the window, in it and after it, the next command goes on where it stood and says so",
  { timeout: 240_000 },
  async () => {
    await using move = await openMove();
    {
      await using clients = writers(move.old, { clients: 2, kind: "pgbench", pauseMs: 20, tolerant: true });
      for (const point of ["verify.looked", "verify.remembered"]) {
        expect(await move.run("start --jobs=2", `${point}=kill`)).toMatchObject({ signal: "SIGKILL", stderr: "" });
        // The servers may see a moment later that it is dead.
        await waitFor(async () => (await move.run("status")).stdout.includes("Nobody works on it: `bucardo migrate start` goes on."), {
          what: "status to say that nobody works on it",
        });
      }
      const start = await move.run("start --jobs=2");
      expect(start).toMatchObject({ code: 0, stderr: "" });
      expect(start.stdout).toContain('Going on where it stood, at "compare"');
      // Nothing that was done before is done again.
      expect(start.stdout).not.toMatch(/^(schema|copy|keys|constraints): /m);
      expect((await move.run("status -v")).stdout).toMatch(/ public\.pgbench_accounts .* 100,000 rows, hash [0-9a-f]{16}/);

      const cutover = (point?: string) => move.run("cutover --yes --budget=60", point);
      expect(await cutover("verify.remembered=kill")).toMatchObject({ signal: "SIGKILL", stderr: "" });
      await clients.more(5);
      expect(await cutover("migrate.last-run=kill")).toMatchObject({ signal: "SIGKILL", stderr: "" });
      const third = await cutover("migrate.proof-forgotten=kill");
      expect(third).toMatchObject({ signal: "SIGKILL", stderr: "" });
      expect(third.stdout).toContain("An earlier cutover broke off and left old closed; it is open again.");
      const last = await cutover();
      expect(last).toMatchObject({ code: 0, stderr: "" });
      expect(last.stdout).toContain("An earlier cutover was decided but not finished");
    }
    expect(await equalTables(move.old, move.young, pgbenchTables)).toEqual([]);
  },
);

test("given up in any phase, both sides are what they were", { timeout: 240_000 }, async () => {
  await using move = await openMove();
  const before = await footprints(move.old, move.young);
  for (const phase of ["schema", "constraints"] as const) {
    const nth = phases.indexOf(phase) + 1;
    expect(await move.run("start --jobs=2", `migrate.phase-begun=kill:${nth}`)).toMatchObject({ signal: "SIGKILL", stderr: "" });
    expect(await move.run("abort --yes")).toMatchObject({ code: 0, stderr: "" });
    expect(await footprints(move.old, move.young)).toEqual(before);
  }
});

async function footprints(...databases: readonly TestDatabase[]): Promise<string[][]> {
  return Promise.all(databases.map((database) => footprint(database)));
}
