import { expect, test } from "vitest";
import { openRig, type Rig } from "../replicate/rig.ts";

const schema = "create table t (id int primary key, v text, n int default 0)";

/** Moves a row to another key although the statement does not name the key. */
const before = `create function shift() returns trigger language plpgsql as $$ begin
    if new.v = 'moved' then new.id := new.id + 100; end if;
    return new;
  end $$;
  create trigger shift before update on t for each row execute procedure shift()`;

async function filled(more = ""): Promise<Rig> {
  const rig = await openRig({ schema, majors: [10, 18], tables: ["t"], capture: false });
  await rig.source.query(more);
  await rig.capture();
  await rig.source.query("insert into t select i, 'first' from generate_series(1, 9) i");
  await rig.run();
  return rig;
}

async function keyTrigger(rig: Rig): Promise<string> {
  const { text } = await rig.source.one<{ text: string }>(
    "select pg_get_triggerdef(oid) as text from pg_trigger where tgrelid = 't'::regclass and tgname like 'bucardo\\_key%'",
  );
  return text;
}

test("a key changes only in statements that name it, so only they are looked at", async () => {
  await using rig = await filled();
  expect(await keyTrigger(rig)).toMatch(/AFTER UPDATE OF id ON .* WHEN/);
  await rig.source.query("update t set id = id + 100, v = 'moved' where id < 4; update t set v = 'stays' where id = 5");
  await rig.source.query("insert into t values (5, 'x') on conflict (id) do update set id = 105");
  expect((await rig.run()).tables).toMatchObject([{ upserted: 4, deleted: 4 }]);
  expect(await rig.differences()).toEqual([]);
});

test("a trigger that may change the key by itself, there before capture, makes every UPDATE looked at", async () => {
  await using rig = await filled(before);
  expect(await keyTrigger(rig)).toMatch(/AFTER UPDATE ON .* WHEN/);
  await rig.source.query("update t set v = 'moved' where id < 4");
  expect((await rig.run()).tables).toMatchObject([{ upserted: 3, deleted: 3 }]);
  expect(await rig.differences()).toEqual([]);
});

test("one that came later is noticed by the next run: capture is completed, and what was missed is copied", async () => {
  await using rig = await filled();
  await rig.source.query(before);
  await rig.source.query("update t set v = 'moved' where id < 4");
  expect((await rig.run()).tables).toMatchObject([{ refilled: true }]);
  expect(await rig.differences()).toEqual([]);
  expect(await keyTrigger(rig)).toMatch(/AFTER UPDATE ON .* WHEN/);
  await rig.source.query("update t set v = 'moved' where id = 5");
  expect((await rig.run()).tables).toMatchObject([{ upserted: 1, deleted: 1 }]);
  expect(await rig.differences()).toEqual([]);
});
