import { expect, test } from "vitest";
import type { Major } from "../harness/binaries.ts";
import { createDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { footprint } from "../harness/footprint.ts";
import { createPgbench, fillPgbench, pgbenchTables } from "../harness/pgbench.ts";
import { runProgram } from "../harness/program.ts";
import { scratch } from "../harness/scratch.ts";
import { startServer } from "../harness/server.ts";
import { writers } from "../harness/writers.ts";

const moves: readonly (readonly [from: Major, to: Major])[] = [[12, 18]];

test.for(moves)(
  "a database moves from %i to %i while clients write, and back, and nothing is left",
  { timeout: 180_000 },
  async ([from, to]) => {
    await using home = await scratch();
    await using older = await startServer({ major: from });
    await using younger = await startServer({ major: to });
    await using old = await createDatabase(older, { name: "app" });
    await using young = await createDatabase(younger, { name: "app" });
    const filling = await old.client();
    await createPgbench(filling);
    await fillPgbench(filling, 1);
    await filling.end();
    const before = [await footprint(old), await footprint(young)];

    const migrate = async (line: string): Promise<string> => {
      const { code, stdout, stderr } = await runProgram(["migrate", ...line.split(" ")], {
        cwd: home.path,
        env: { BUCARDO_FROM: old.url, BUCARDO_TO: young.url },
        timeoutMs: 150_000,
      });
      expect({ line, code, stderr, ...(code === 0 ? {} : { stdout }) }).toEqual({ line, code: 0, stderr: "" });
      return stdout;
    };

    {
      await using clients = writers(old, { clients: 4, kind: "pgbench", pauseMs: 5, tolerant: true });
      await clients.more(20);
      expect(await migrate("start --jobs=2")).toContain("Ready:");
      const status = await migrate("status -v");
      expect(status).toContain("ready");
      expect(status).toMatch(/ public\.pgbench_accounts .* 100,000 rows, hash [0-9a-f]{16}/);
      expect(await migrate("cutover --rehearse --budget=60")).toContain("Rehearsed");
      await clients.more(20);
      expect(await migrate("cutover --yes --budget=60")).toContain("Switched:");
    }
    await expect(old.query("update pgbench_accounts set abalance = 1 where aid = 1")).rejects.toThrow();
    expect(await equalTables(old, young, pgbenchTables)).toEqual([]);
    {
      await using clients = writers(young, { clients: 4, kind: "pgbench", pauseMs: 5, tolerant: true });
      await clients.more(50);
      expect(await migrate("switchback --yes --budget=60")).toContain("Switched:");
    }
    await expect(young.query("update pgbench_accounts set abalance = 1 where aid = 1")).rejects.toThrow();
    expect(await equalTables(old, young, pgbenchTables)).toEqual([]);
    await migrate("abort --yes");
    expect([await footprint(old), await footprint(young)]).toEqual(before);
  },
);
