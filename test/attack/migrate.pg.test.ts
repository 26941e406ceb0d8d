import { expect, test } from "vitest";
import { onPoint } from "../../src/base/point.ts";
import { breakOffAt, openMove } from "../migrate/open-move.ts";

test("no command takes a side in use, or a database of somebody else, for the side that nobody uses", async () => {
  await using move = await openMove(
    "create table t (id serial primary key, v text); insert into t (v) select 'old' from generate_series(1, 10)",
  );
  await move.start();
  await move.other.query("select lo_create(4711)");
  await expect(move.turn("cutover", move.other)).rejects.toMatchObject({ code: "target-changed" });
  expect(await move.other.query("select oid::int from pg_largeobject_metadata")).toEqual([{ oid: 4711 }]);
  {
    using _ = breakOffAt("migrate.opened");
    await expect(move.turn("cutover")).rejects.toThrow("broken off");
  }
  await move.young.query("insert into t (v) select 'new' from generate_series(1, 500); select lo_create(4711)");
  await expect(move.abort()).rejects.toMatchObject({ code: "cutover-unfinished" });
  await expect(move.follow()).rejects.toMatchObject({ code: "cutover-unfinished" });
  expect((await move.turn("cutover")).outcome).toBe("switched");
  expect(await move.young.query("select count(*)::int as rows, max(id) < nextval('t_id_seq') as ahead from t")).toEqual([
    { rows: 510, ahead: true },
  ]);
  expect(await move.young.query("select oid::int from pg_largeobject_metadata")).toEqual([{ oid: 4711 }]);
  await expect(move.finish(move.other)).rejects.toMatchObject({ code: "target-changed" });
  {
    using _ = breakOffAt("migrate.opened");
    await expect(move.turn("switchback")).rejects.toThrow("broken off");
  }
  await move.old.query("insert into t (v) select 'back' from generate_series(1, 500); select lo_create(4712)");
  await expect(move.finish()).rejects.toMatchObject({ code: "cutover-unfinished" });
  await expect(move.follow()).rejects.toMatchObject({ code: "cutover-unfinished" });
  expect((await move.turn("switchback")).outcome).toBe("switched");
  expect(await move.old.query("select count(*)::int as rows, max(id) < nextval('t_id_seq') as ahead from t")).toEqual([
    { rows: 1010, ahead: true },
  ]);
  expect(await move.old.query("select oid::int from pg_largeobject_metadata order by 1")).toEqual([{ oid: 4711 }, { oid: 4712 }]);
});

test(
  "what applications do between the last look and the window arrives: large objects with their rows, tables without key, rows changed while triggers slept",
  { timeout: 180_000 },
  async () => {
    await using move = await openMove(`
    create table doc (id int primary key, body oid); insert into doc values (1, lo_from_bytea(0, 'first'));
    create table log (line text); create table lines (n int primary key, made int); insert into lines values (1, 0);
    create function count_line() returns trigger language plpgsql as $$ begin update public.lines set made = made + 1 where n = 1; return null; end $$;
    create trigger count after insert or delete on log for each row execute function count_line();
    insert into log values ('a'), ('b');
    create table quiet (id int primary key, v text); insert into quiet values (1, 'old');
    create sequence down increment -1 minvalue -5000 maxvalue -1; select nextval('down');
    create sequence small maxvalue 3 cycle; select nextval('small'), nextval('small');
    create table always (id int generated always as identity primary key, v text); insert into always (v) values ('x')`);
    await move.start();
    await move.old.query("alter table quiet disable trigger all; update quiet set v = 'unseen'; alter table quiet enable trigger all");
    const reader = `reader_${move.old.name}`;
    await move.old.query(`create role ${reader}; select lo_create(77); alter large object 77 owner to ${reader}`);
    let done = false;
    using _ = onPoint(async (reached) => {
      if (reached !== "migrate.armed" || done) return;
      done = true;
      await move.old.query(
        `insert into doc values (2, lo_from_bytea(78, 'second')); grant select on large object 78 to ${reader}; insert into log values ('c'); insert into always (v) values ('y')`,
      );
    });
    const report = await move.turn("cutover");
    const rights =
      "select pg_get_userbyid(lomowner) as owner, lomacl::text as acl, convert_from(lo_get(oid), 'UTF8') as body from pg_largeobject_metadata order by oid";
    const [here, there] = [await move.old.query(rights), await move.young.query(rights)];
    for (const side of [move.old, move.young]) await side.query(`drop owned by ${reader}`);
    await move.old.query(`drop role ${reader}`);
    expect(there).toEqual(here);
    expect(here).toContainEqual({ owner: reader, acl: null, body: "" });
    expect(here).toContainEqual({ owner: "postgres", acl: expect.stringContaining(`${reader}=r/`), body: "second" });
    expect({ outcome: report.outcome, why: report.why?.message, gates: report.gates.filter(({ state }) => state === "blocked") }).toEqual({
      outcome: "switched",
      why: undefined,
      gates: [],
    });
    for (const text of [
      "select id, convert_from(lo_get(body), 'UTF8') as body from doc order by 1",
      "select * from log order by 1",
      "select * from lines",
      "select * from quiet",
      "select * from always order by 1",
    ])
      expect([text, await move.young.query(text)]).toEqual([text, await move.old.query(text)]);
  },
);
