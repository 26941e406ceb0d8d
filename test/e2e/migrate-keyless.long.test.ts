import { expect, test } from "vitest";
import { createDatabase } from "../harness/database.ts";
import { equalTables } from "../harness/equal-tables.ts";
import { runProgram } from "../harness/program.ts";
import { scratch } from "../harness/scratch.ts";
import { startServer } from "../harness/server.ts";
import { keepChanging } from "./rich-move.ts";

const ROWS = 200_000;

/** Of one client: it only touches rows of its own kind, so that two never wait for each other. */
const change =
  (client: number) =>
  (turn: number): string => {
    const mine = `kind = 'client ${client}'`;
    const some = (rows: number) => `ctid = any (array(select ctid from events where ${mine} and n = ${turn % 50} limit ${rows}))`;
    return [
      `insert into events select at, kind, n from events where ${mine} and n = ${turn % 50} limit 3`,
      `delete from events where ${some(2)}`,
      `update events set n = (n + 7) % 50 where ${some(2)}`,
      `insert into tickets (line) values ('client ${client}, turn ${turn}')`,
    ][turn % 4]!;
  };

test("a large table without key moves while clients write: as many of each row arrive, and the window carries only what came last", async () => {
  await using home = await scratch();
  await using older = await startServer({ major: 13 });
  await using younger = await startServer({ major: 18 });
  await using old = await createDatabase(older, { name: "app" });
  await using young = await createDatabase(younger, { name: "app" });
  // Each row a thousand times.
  await old.query(`create table events (at timestamptz, kind text, n int); create table tickets (id bigserial primary key, line text);
    insert into events select '2026-01-01'::timestamptz + (i % 40) * interval '1 day', 'client ' || i % 2, (i / 2) % 50 from generate_series(1, ${ROWS}) i; analyze events`);
  const migrate = async (line: string): Promise<string> => {
    const { code, stdout, stderr } = await runProgram(["migrate", ...line.split(" ")], {
      cwd: home.path,
      env: { BUCARDO_FROM: old.url, BUCARDO_TO: young.url },
      timeoutMs: 300_000,
    });
    expect({ line, code, stderr, ...(code === 0 ? {} : { stdout }) }).toEqual({ line, code: 0, stderr: "" });
    return stdout;
  };
  type Cutover = { outcome: string; timings: { step: string; ms: number; detail: string | null }[] };
  let done: Cutover;
  {
    const turns = [0, 0];
    await using one = keepChanging(old, () => change(0)(turns[0]!++));
    await using other = keepChanging(old, () => change(1)(turns[1]!++));
    await migrate("start --jobs=2");
    await Promise.all([one.more(60), other.more(60)]);
    done = JSON.parse(await migrate("cutover --yes --budget=60 --json")) as Cutover;
  }
  expect(done.outcome).toBe("switched");
  expect(await equalTables(old, young, ["public.events", "public.tickets"])).toEqual([]);
  const { total, kinds } = await young.one<{ total: number; kinds: number }>(
    "select count(*)::int as total, count(distinct (at, kind, n))::int as kinds from events",
  );
  expect(total).toBeGreaterThan(ROWS / 2);
  expect(total / kinds).toBeGreaterThan(10);
  // Not the table: rows that came and went since the last look before the window.
  const rows = Number(/^(\d+) rows$/.exec(done.timings.find(({ step }) => step === "tables without key")?.detail ?? "")?.[1]);
  expect(rows).toBeLessThan(ROWS / 10);

  // And back, with what the new side changed.
  {
    const turns = [1000, 1000];
    await using one = keepChanging(young, () => change(0)(turns[0]!++));
    await using other = keepChanging(young, () => change(1)(turns[1]!++));
    await Promise.all([one.more(60), other.more(60)]);
    expect(JSON.parse(await migrate("switchback --yes --budget=60 --json"))).toMatchObject({ outcome: "switched" });
  }
  expect(await equalTables(old, young, ["public.events", "public.tickets"])).toEqual([]);
  await migrate("abort --yes");
});
