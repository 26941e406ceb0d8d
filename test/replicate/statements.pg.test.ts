import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { openRig } from "./rig.ts";
import { followStatements } from "./statement-scenario.ts";

test.for([
  [10, 18, "one by one"],
  [18, 10, "one by one"],
  [15, 12, "all at once"],
] as const)("every kind of statement, from %i to %i, %s", ([from, to, way]) => followStatements(from, to, way));

test.for([
  [10, 15],
  [18, 12],
] as const)(
  "triggers that rewrite rows on the source (%i) are followed; triggers and rules of the target (%i) stay silent",
  async ([from, to]) => {
    const table = "create table t (id int primary key, v text, stamp text); create table log (id serial primary key, what text)";
    await using rig = await openRig({
      majors: [from, to],
      schema: `${table};
      create function rewrite() returns trigger language plpgsql as $$ begin new.v := upper(new.v); if new.v = 'SKIP' then return null; end if; return new; end $$;
      create trigger before_row before insert or update on t for each row execute procedure rewrite();
      create function follow_up() returns trigger language plpgsql as $$ begin insert into log (what) values (tg_op || ' ' || new.id); if new.v = 'TWICE' then update t set v = 'done' where id = new.id; end if; return null; end $$;
      create trigger after_row after insert or update on t for each row execute procedure follow_up();
      create function at_commit() returns trigger language plpgsql as $$ begin update t set stamp = 'late' where id = new.id and stamp is null; return null; end $$;
      create constraint trigger at_commit after insert on t deferrable initially deferred for each row execute procedure at_commit();
      create rule no_delete as on delete to t where old.id = 2 do instead nothing`,
      targetSchema: `${table};
      create function forbid() returns trigger language plpgsql as $$ begin raise exception 'awake'; end $$;
      create trigger before_row before insert or update or delete on t for each row execute procedure forbid();
      create trigger after_all after insert or update or delete on t for each statement execute procedure forbid();
      create rule swallow as on insert to t do instead nothing; create rule also as on update to t do also insert into log (what) values ('rule'); create rule never as on delete to t do instead nothing`,
      tables: ["t", "log"],
    });
    for (const text of [
      "insert into t values (1, 'one', null), (2, 'two', null), (3, 'skip', null), (4, 'twice', null)",
      "update t set v = v || '!'; delete from t where id <= 2",
      "begin; truncate t; insert into t values (5, 'five', null); commit",
    ]) {
      await rig.source.query(text);
      await rig.run();
      expect({ text, differences: await rig.differences() }).toEqual({ text, differences: [] });
    }
  },
);

test.for([10, 18] as const)("writers without any right on our schema are captured, whatever their settings (%i)", async (from) => {
  const writer = `writer_${randomBytes(4).toString("hex")}`;
  await using rig = await openRig({
    majors: [from, 15],
    schema: "create table t (id int primary key, v text); create table gone (id int primary key)",
    tables: ["t"],
    autokick: true,
  });
  await rig.source.query(
    `create role ${writer} login; grant insert, update, delete, truncate, select on t to ${writer}; create schema mine authorization ${writer}`,
  );
  try {
    const client = await rig.source.client({ user: writer });
    await client.query(`
      create function mine.txid_current() returns bigint language sql as 'select 0::bigint'; create table mine.delta_1_1 (xid bigint, k1 int); create table mine.truncation (x int);
      set search_path = mine, public, pg_catalog; set default_transaction_isolation = 'serializable'; set standard_conforming_strings = off; set datestyle = 'German'`);
    for (const text of [
      "insert into public.t values (1, 'one'), (2, 'two'), (3, 'three')",
      "update public.t set id = id + 10 where id = 1; delete from public.t where id = 2",
      "set search_path = ''; set bytea_output = 'escape'; set lock_timeout = 1; set row_security = on; update public.t set v = v || '!'",
      "truncate public.t; insert into public.t values (9, 'nine')",
    ]) {
      await client.query(text);
      await rig.run();
      expect({ text, differences: await rig.differences() }).toEqual({ text, differences: [] });
    }
    await client.end();
  } finally {
    await rig.source.query(`drop owned by ${writer}; drop role ${writer}`);
  }
});
