// The trigger functions run with rights that the writer lacks, and without a search_path of their own.
import { expect, test } from "vitest";
import { openRig } from "../replicate/rig.ts";

const TREES = `create table t (id int primary key, v text); create table p (id int primary key, v text) partition by range (id);
  create table p1 partition of p for values from (0) to (1000)`;

test.for([13, 15, 18] as const)(
  "H16: %i: the owner of a captured table cannot put code of his own into the trigger functions",
  async (major) => {
    await using rig = await openRig({ majors: [major, 18], schema: TREES, tables: ["t", "p"], autokick: true });
    const name = `mallory_${rig.source.name}`;
    await rig.source.query(`create role ${name} login; grant all on schema public to ${name}; create schema evil authorization ${name}`);
    await rig.source.query(`alter table t owner to ${name}; alter table p owner to ${name}; alter table p1 owner to ${name}`);
    const mallory = await rig.source.client({ user: name });
    // everything that a body names, as he would like it to be
    await mallory.query(`
    create function evil.caught(text) returns void language plpgsql as $$ begin raise exception 'as % by %', current_user, $1 using errcode = 'ZZ001'; end $$;
    create function evil.txid_current() returns bigint language plpgsql as $$ begin perform evil.caught('txid_current'); return 1; end $$;
    create function evil.current_setting(text) returns text language plpgsql as $$ begin perform evil.caught('current_setting'); return ''; end $$;
    create function evil.pg_try_advisory_xact_lock_shared(int, int) returns bool language plpgsql as $$ begin perform evil.caught('lock'); return true; end $$;
    create function evil.pg_notify(text, text) returns void language plpgsql as $$ begin perform evil.caught('notify'); end $$;
    create function evil.same(text, text) returns bool language plpgsql as $$ begin perform evil.caught('='); return true; end $$;
    create operator evil.= (leftarg = text, rightarg = text, procedure = evil.same);
    create function evil.same(int, int) returns bool language plpgsql as $$ begin perform evil.caught('='); return true; end $$;
    create operator evil.= (leftarg = int, rightarg = int, procedure = evil.same);
    create table evil.truncation (xid bigint, captured_table int, leaf oid); create table evil.delta_1_1 (xid bigint, k1 int);
    create table evil."_bucardo_new" (id int); create table evil."_bucardo_old" (id int);
    grant usage on schema evil to public; grant all on all tables in schema evil to public;
    set search_path = evil, pg_catalog, public`);
    for (const table of ["t", "p"])
      await mallory.query(
        `insert into public.${table} values (1, 'm'), (2, 'm'); update public.${table} set id = 3 where id operator(pg_catalog.=) 2; delete from public.${table} where id operator(pg_catalog.=) 1`,
      );
    await rig.run();
    expect(await rig.differences()).toEqual([]);
    await mallory.query("truncate public.t");
    // a column that is gone must not be taken for a function of that name
    for (const type of ["record", "public.t", "public.p"])
      await mallory.query(
        `create function evil.id(${type}) returns int language plpgsql as $$ begin perform evil.caught('id'); return 1; end $$`,
      );
    await mallory.query("alter table public.t rename id to other; alter table public.p rename id to other");
    for (const table of ["t", "p"]) {
      await expect(mallory.query(`insert into public.${table} values (4, 'm')`)).rejects.toMatchObject({ code: "42703" });
      await expect(mallory.query(`update public.${table} set v = v`)).rejects.toMatchObject({ code: "42703" });
      await expect(mallory.query(`delete from public.${table}`)).rejects.toMatchObject({ code: "42703" });
    }
    await mallory.end();
    await rig.source.query(`drop owned by ${name} cascade; drop role ${name}`);
  },
);
