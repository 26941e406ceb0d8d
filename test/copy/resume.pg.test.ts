import { expect, test } from "vitest";
import { at, equalAfterOneRun, filledRig, piecewise, ROWS, schema } from "./piecewise.ts";
import { openCopyRig } from "./rig.ts";

test("columns that change on both sides meanwhile are looked at again; on one side only they end the copy with their name", async () => {
  await using rig = await filledRig();
  {
    using _ = at("copy.piece-claimed", 4, () => rig.target.query("alter table t alter v type uuid using null"));
    await expect(rig.copy(piecewise)).rejects.toMatchObject({ code: "schema-mismatch", details: { table: "public.t" } });
  }
  {
    await rig.target.query("alter table t alter v type int using 0");
    using _ = at("copy.piece-claimed", 2, async () => {
      for (const side of [rig.source, rig.target]) await side.query("alter table t drop column v; alter table t add column w text");
    });
    await rig.copy(piecewise);
  }
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
    update bucardo.copy_piece set state = 'sent', target_xid = 3 where number in (1000000, 1000003);
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
  // Older ones that have not ended either: the newest is beyond what any snapshot there shows.
  for (let older = 0; older < 3; older++) await (await rig.target.client()).query("begin; select txid_current()");
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
