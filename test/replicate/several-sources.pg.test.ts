import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sharedServer } from "../harness/shared-server.ts";
import { startServer, type Server } from "../harness/server.ts";
import { openStar, type Star } from "./star.ts";

const SCHEMA = "create table account (id integer primary key, balance integer, note json)";
const list = "select id, balance from account order by id";

let star: Star;

describe("two sources and a target", () => {
  beforeAll(async () => {
    star = await openStar({ schema: SCHEMA, tables: ["account"], members: { A: 15, B: 18, T: 12 }, targets: ["T"] });
  });
  afterAll(() => star[Symbol.asyncDispose]());

  test("changes go both ways and to the target, and nothing comes back", async () => {
    await star.of("A").query("insert into account values (1, 10, '{}'), (2, 20, null)");
    await star.of("B").query("insert into account values (3, 30, '[1]')");
    expect(await star.drain()).toBe(0);
    expect(await star.differences()).toEqual([]);
    expect(await star.rows("T", list)).toEqual([
      { id: 1, balance: 10 },
      { id: 2, balance: 20 },
      { id: 3, balance: 30 },
    ]);
    const result = await star.run("B", "A");
    expect(result).toMatchObject({ outcome: "empty", tables: [] });
  });

  test("the later of two changes wins, on both sides and on the target", async () => {
    await star.of("A").query("update account set balance = 11 where id = 1");
    await star.of("B").query("update account set balance = 12 where id = 1");
    await star.of("B").query("update account set balance = 21 where id = 2");
    await star.of("A").query("update account set balance = 22 where id = 2");
    expect(await star.drain()).toBe(2);
    expect(await star.differences()).toEqual([]);
    expect(await star.rows("T", list)).toMatchObject([{ balance: 12 }, { balance: 22 }, { balance: 30 }]);
    const log = await star.rows(
      "A",
      "select kind, key, incoming_db, local_db, incoming_image->>'balance' as incoming, local_image->>'balance' as local, winner from bucardo.noted_conflict order by key",
    );
    expect(log).toEqual([
      { kind: "row", key: ["1"], incoming_db: "B", local_db: "A", incoming: "12", local: "11", winner: "incoming" },
      { kind: "row", key: ["2"], incoming_db: "B", local_db: "A", incoming: "21", local: "22", winner: "local" },
    ]);
  });

  test("a deletion is a change like any other", async () => {
    await star.of("A").query("delete from account where id = 1");
    await star.of("B").query("update account set balance = 13 where id = 1");
    await star.of("B").query("update account set balance = 14 where id = 2");
    await star.of("A").query("delete from account where id = 2");
    expect(await star.drain()).toBe(2);
    expect(await star.differences()).toEqual([]);
    expect(await star.rows("T", list)).toEqual([
      { id: 1, balance: 13 },
      { id: 3, balance: 30 },
    ]);
  });

  test("the same change on both sides is no conflict", async () => {
    await star.of("A").query("update account set balance = 31 where id = 3");
    await star.of("B").query("update account set balance = 31 where id = 3");
    expect(await star.drain()).toBe(0);
    expect(await star.differences()).toEqual([]);
  });

  test("TRUNCATE leaves what the other side has changed meanwhile", async () => {
    await star.of("B").query("insert into account values (4, 40, null)");
    await star.of("A").query("truncate account");
    await star.of("A").query("insert into account values (5, 50, null)");
    await star.drain();
    expect(await star.differences()).toEqual([]);
    expect(await star.rows("T", list)).toEqual([
      { id: 4, balance: 40 },
      { id: 5, balance: 50 },
    ]);
  });

  test("TRUNCATE on the side that others exchange through the first", async () => {
    await star.of("B").query("truncate account");
    await star.of("A").query("update account set balance = 51 where id = 5");
    await star.drain();
    expect(await star.differences()).toEqual([]);
    expect(await star.rows("T", list)).toEqual([{ id: 5, balance: 51 }]);
  });
});

describe("the time of a change", () => {
  let keeps: Server;
  beforeAll(async () => {
    keeps = await startServer({ major: 16, settings: { track_commit_timestamp: "on" } });
  });
  afterAll(() => keeps[Symbol.asyncDispose]());

  // One writes before the other, and commits after it.
  test.each([
    ["is that of its commit where both servers keep it", ["keeps", "keeps"], "A", "the slow one"],
    ["is when it was written where neither does", ["not", "not"], "A", "the other"],
    ["is that of its commit on the first source only", ["keeps", "not"], "A", "the slow one"],
    ["is that of its commit on the other source only", ["not", "keeps"], "B", "the slow one"],
  ] as const)("%s", async (_what, [a, b], slow, wins) => {
    const servers = { keeps, not: await sharedServer(16) };
    const members = { A: 16, B: 16 } as const;
    await using pair = await openStar({ schema: SCHEMA, tables: ["account"], members, servers: { A: servers[a], B: servers[b] } });
    await pair.of("A").query("insert into account values (1, 0, null)");
    await pair.drain();
    const writer = await pair.of(slow).client();
    await writer.query("begin; update account set balance = 1 where id = 1");
    await pair.of(slow === "A" ? "B" : "A").query("update account set balance = 2 where id = 1");
    await writer.query("commit");
    expect(await pair.drain()).toBe(1);
    expect(await pair.differences()).toEqual([]);
    expect(await pair.rows("A", list)).toEqual([{ id: 1, balance: wins === "the slow one" ? 1 : 2 }]);
  });

  test("of the same instant the change of the first source counts", async () => {
    await using twins = await openStar({ schema: SCHEMA, tables: ["account"], members: { A: 15, B: 18 } });
    await twins.of("A").query("insert into account values (1, 0, null), (2, 0, null)");
    await twins.drain();
    for (const [name, balance] of [
      ["A", 1],
      ["B", 2],
    ] as const)
      await twins.of(name).query(`update account set balance = ${balance};
        do $$ declare delta regclass; begin
          for delta in select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'bucardo' and c.relname ~ '^delta_[0-9]+_[0-9]+$' loop
            execute format('update %s set at = %L', delta, '2030-01-01 00:00:00+00');
          end loop;
        end $$`);
    expect(await twins.drain()).toBe(2);
    expect(await twins.differences()).toEqual([]);
    expect(await twins.rows("B", list)).toMatchObject([{ balance: 1 }, { balance: 1 }]);
  });

  test.each(["keeps", "not"] as const)("travels with the change, not with its arrival: %s", async (which) => {
    const server = which === "keeps" ? keeps : await sharedServer(16);
    const servers = { A: server, B: server, C: server };
    await using ring = await openStar({ schema: SCHEMA, tables: ["account"], members: { A: 16, B: 16, C: 16 }, servers });
    await ring.of("A").query("insert into account values (1, 0, null)");
    await ring.drain();
    await ring.of("B").query("update account set balance = 2 where id = 1");
    await ring.of("C").query("update account set balance = 3 where id = 1");
    // What B wrote comes to A after C has written, and meets it there.
    expect(await ring.exchange("B")).toBe(0);
    expect(await ring.drain()).toBe(1);
    expect(await ring.differences()).toEqual([]);
    expect(await ring.rows("A", list)).toEqual([{ id: 1, balance: 3 }]);
  });
});
