import { expect, test } from "vitest";
import { onPoint, type Point } from "../../src/base/point.ts";
import { openCopyRig, type CopyRig } from "./rig.ts";

/** Enough rows for about ten pieces. */
const ROWS = 5000;
const schema = "create table t (id bigint primary key, code text, v int)";

async function filledRig(targetSchema = schema): Promise<CopyRig> {
  const rig = await openCopyRig({ schema, targetSchema, tables: ["t"] });
  await rig.source.query(`insert into t select g, 'code ' || g, 0 from generate_series(1, ${ROWS}) g; analyze t`);
  return rig;
}

/** Does something at the `pass`th time that the copy comes along a place. */
function at(place: Point, pass: number, work: () => Promise<unknown>): Disposable {
  let passes = 0;
  return onPoint(async (point) => {
    if (point === place && ++passes === pass) await work();
  });
}

async function equalAfterOneRun(rig: CopyRig): Promise<void> {
  await rig.rig.run();
  expect(await rig.differences()).toEqual([]);
}

const piecewise = { jobs: 1, pieceBytes: 32 * 1024 };

test("H12: a unique value wanders from a row that has arrived to one that has not", async () => {
  await using rig = await filledRig(`${schema}; create unique index on t (code)`);
  await rig.source.query("create unique index on t (code)");
  using _ = at("copy.piece-done", 3, () =>
    rig.source.query(`update t set code = 'gave it away' where id = 1; update t set code = 'code 1' where id = ${ROWS}`),
  );
  await rig.copy(piecewise);
  await equalAfterOneRun(rig);
});

test("H12: a row whose key moves from a piece that has arrived to one that has not, into a table without any index", async () => {
  await using rig = await filledRig("create table t (id bigint not null, code text, v int)");
  using _ = at("copy.piece-done", 3, () =>
    rig.source.query(`update t set id = ${ROWS} + 1 where id = 1; update t set id = 1 where id = ${ROWS}`),
  );
  await rig.copy(piecewise);
  await rig.target.query("alter table t add primary key (id)");
  await equalAfterOneRun(rig);
});

test("H13: no run touches a table of which pieces are missing", async () => {
  await using rig = await filledRig();
  let refusal: unknown;
  using _ = at("copy.piece-done", 3, () => rig.rig.run().catch((error: unknown) => (refusal = error)));
  await rig.copy(piecewise);
  expect(refusal).toMatchObject({ code: "checkpoint-missing" });
  await equalAfterOneRun(rig);
});

test.for([
  ["truncated and filled anew", "copy.piece-done", "truncate t; insert into t select g, 'new', 1 from generate_series(1, 50) g"],
  ["truncated between the snapshot of a piece and its reading", "copy.piece-claimed", "truncate t; insert into t values (1, 'new', 1)"],
  ["rewritten between the snapshot of a piece and its reading", "copy.piece-claimed", "alter table t alter v type bigint"],
  ["rewritten", "copy.piece-done", "alter table t alter v type bigint; update t set v = 5 where id % 3 = 0"],
  ["rewritten without a trace in its columns, between snapshot and reading", "copy.piece-claimed", "alter table t set unlogged"],
  ["vacuumed full", "copy.piece-done", "vacuum full t"],
  ["updated, every row", "copy.piece-done", "update t set v = v + 1"],
] as const)("H2: the table is %s", async ([, place, statement]) => {
  await using rig = await filledRig();
  using _ = at(place, 4, async () => {
    await rig.source.query(statement);
    if (statement.startsWith("alter")) await rig.target.query("alter table t alter v type bigint");
  });
  await rig.copy(piecewise);
  await equalAfterOneRun(rig);
});

test("a table that is dropped ends the copy with its name; without it the copy goes on", async () => {
  const both = `${schema}; create table other (id int primary key)`;
  await using rig = await openCopyRig({ schema: both, tables: ["t", "other"] });
  await rig.source.query(`insert into t select g, 'code ' || g, 0 from generate_series(1, ${ROWS}) g; insert into other values (1)`);
  {
    using _ = at("copy.piece-done", 4, () => rig.source.query("drop table t"));
    await expect(rig.copy(piecewise)).rejects.toMatchObject({ code: "schema-mismatch", details: { table: "public.t" } });
  }
  const result = await rig.copy({ tables: [{ schema: "public", name: "other" }] });
  expect(result).toMatchObject({ tables: 1, rows: 1 });
});

test("H19: partitions that are dropped, detached, attached and truncated meanwhile", async () => {
  const partitioned = `create table p (id bigint, day int, primary key (id, day)) partition by list (day);
    ${[1, 2, 3, 4, 5].map((day) => `create table p${day} partition of p for values in (${day});`).join("\n")}`;
  await using rig = await openCopyRig({ schema: partitioned, tables: ["p"] });
  await rig.source.query("insert into p select g, g % 5 + 1 from generate_series(1, 20000) g; analyze p");
  using _ = at("copy.piece-done", 3, async () => {
    await rig.source.query(`drop table p5; alter table p detach partition p4; truncate p3;
      create table p6 (id bigint, day int, primary key (id, day)); insert into p6 select g, 6 from generate_series(1, 100) g; alter table p attach partition p6 for values in (6)`);
    await rig.target.query("create table p6 partition of p for values in (6)");
  });
  await rig.copy(piecewise);
  await equalAfterOneRun(rig);
});

test("H7: nobody knows any more whether a piece arrived, so it comes again without doubling a row", async () => {
  await using rig = await filledRig("create table t (id bigint not null, code text, v int)");
  await rig.copy(piecewise);
  await rig.source.query(`update bucardo.copy_table set ended_at = null;
    update bucardo.copy_piece set state = 'sent', target_xid = 3 where number in (1, 4);
    update bucardo.subscription set joined = false`);
  await rig.copy(piecewise);
  expect(await rig.target.one("select count(*)::int as rows, count(distinct id)::int as keys from t")).toEqual({ rows: ROWS, keys: ROWS });
  await equalAfterOneRun(rig);
});

test("H6: a copy does not go on with another target, or with one that went back in time", async () => {
  await using rig = await filledRig();
  using _ = at("copy.piece-done", 4, () => Promise.reject(new Error("the end")));
  await expect(rig.copy(piecewise)).rejects.toThrow("the end");
  const change = (field: string, value: string) =>
    rig.source.query(
      `update bucardo.copy_piece set target_identity = target_identity || '{"${field}": "${value}"}' where target_identity is not null`,
    );
  await change("lsn", "9000000000000");
  await expect(rig.copy(piecewise)).rejects.toMatchObject({ code: "target-changed" });
  await change("lsn", "1");
  await change("system", "1");
  await expect(rig.copy(piecewise)).rejects.toMatchObject({ code: "target-changed" });
});

test("a piece that was sent and is still open on the target is waited for, not sent again", async () => {
  await using rig = await filledRig();
  using _ = at("copy.piece-done", 4, () => Promise.reject(new Error("the end")));
  await expect(rig.copy(piecewise)).rejects.toThrow("the end");
  const late = await rig.target.client();
  await late.query("begin");
  const { rows } = await late.query<{ xid: string }>("select txid_current() as xid");
  const { number } = await rig.source.one<{ number: number }>(
    "select min(number) as number from bucardo.copy_piece where state = 'waiting'",
  );
  // What its dead worker had copied: the rows of that very piece.
  await rig.source.query("update bucardo.copy_piece set state = 'sent', target_xid = $1, rows = 0, bytes = 0 where number = $2", [
    rows[0]!.xid,
    number,
  ]);
  let done = false;
  const copy = rig.copy({ ...piecewise, onProgress: () => undefined }).finally(() => (done = true));
  const left = async () =>
    (await rig.source.one<{ left: number }>("select count(*)::int as left from bucardo.copy_piece where state <> 'done'")).left;
  await expect.poll(left, { timeout: 20_000 }).toBe(1);
  expect(done).toBe(false);
  await late.query("rollback");
  await copy;
  await equalAfterOneRun(rig);
});
