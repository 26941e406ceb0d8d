import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { connect } from "../../src/postgres/connect.ts";
import { dumpSchema } from "../../src/schema/dump.ts";
import { createAuthority } from "../harness/certificate.ts";
import { createDatabase, onServer } from "../harness/database.ts";
import { needsProgram } from "../harness/needs-program.ts";
import { startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait.ts";
import { richSchema } from "./rich.ts";
import { dump, failuresOf, never, restoreAll, side, textsOf } from "./rig.ts";

test("pg_dump of the machine, for a schema that arrives whole too", async (context) => {
  const { pg_dump: path } = needsProgram(context, "pg_dump");
  await using source = await side("old", 13);
  await using target = await side("new", 15);
  await using reference = await side("reference", 15);
  await source.database.query(richSchema(13));
  await reference.database.query(`${richSchema(13)}; alter schema public owner to postgres; grant create on schema public to public`);
  const dumped = await dump(source, 150000, { pgDump: path });
  expect(dumped.by).toMatchObject({ kind: "program", path });
  expect(failuresOf(await restoreAll(target, dumped.objects))).toEqual([]);
  const texts = async (from: typeof target) => textsOf(await dump(from, 150000, { pgDump: "built-in" }));
  expect(await texts(target)).toEqual(await texts(reference));
  expect((await readdir(tmpdir())).filter((name) => name.startsWith("bucardo-dump-"))).toEqual([]);
});

test.for(["built-in", "program"] as const)("through TLS, with a password that pg_dump never learns: %s", async (kind, context) => {
  const issued = createAuthority().issue({ commonName: "db", hosts: ["127.0.0.1"] });
  await using server = await startServer({ major: 15, auth: "scram-sha-256", tls: issued, hba: ["hostnossl all all all reject"] });
  await onServer(server, (admin) => admin.query("create role bob login superuser password 'geheim'"));
  await using database = await createDatabase(server);
  await onServer(server, (admin) => admin.query("create table t (id int primary key)"), database.name);
  const source = {
    name: "old",
    host: "127.0.0.1",
    port: server.port,
    user: "bob",
    password: "geheim",
    dbname: database.name,
    conn: "sslmode=require",
  };
  await using session = await connect(source);
  const path = wayOf(kind, context);
  const { objects } = await dumpSchema({ source, session, targetVersion: 150000, pgDump: path, signal: never });
  expect(objects.map(({ id }) => id)).toContain("CONSTRAINT public.t t_pkey");
});

/** The argument for each way; the test is skipped on a machine without pg_dump. */
function wayOf(kind: "built-in" | "program", context: { skip(reason: string): never }): string {
  return kind === "built-in" ? kind : needsProgram(context, "pg_dump").pg_dump;
}

test.for(["built-in", "program"] as const)("a table that is locked for too long ends the dump with its name: %s", async (kind, context) => {
  await using source = await side("old", 15);
  await source.database.query("create schema s; create table s.held (id int)");
  const holder = await source.database.client();
  await holder.query("begin; lock table s.held in access exclusive mode");
  const path = wayOf(kind, context);
  await expect(dump(source, 150000, { pgDump: path, lockTimeoutMs: 200 })).rejects.toMatchObject({
    code: "dump-failed",
    message: expect.stringMatching(/^database "old": pg_dump: query failed: .*statement timeout .*s\.held/),
  });
});

test.for(["built-in", "program"] as const)("an abort ends it, and nothing waits on: %s", async (kind, context) => {
  await using source = await side("old", 15);
  await source.database.query("create table held (id int)");
  const holder = await source.database.client();
  await holder.query("begin; lock table held in access exclusive mode");
  const path = wayOf(kind, context);
  const stop = new AbortController();
  const working = dump(source, 150000, { pgDump: path, signal: stop.signal });
  const outcome = expect(working).rejects.toThrow("enough");
  const waiting = "select count(*)::int as n from pg_locks where not granted and relation = 'held'::regclass";
  await waitFor(async () => (await source.database.one<{ n: number }>(waiting)).n === 1, { what: "pg_dump to wait" });
  stop.abort(new Error("enough"));
  await outcome;
  await waitFor(async () => (await source.database.one<{ n: number }>(waiting)).n === 0, { what: "nobody to wait" });
});

test("a connection that is cut", async () => {
  await using source = await side("old", 15);
  await source.database.query("create table held (id int)");
  const holder = await source.database.client();
  await holder.query("begin; lock table held in access exclusive mode");
  const outcome = expect(dump(source, 150000, { pgDump: "built-in" })).rejects.toMatchObject({ code: "connection-lost" });
  await waitFor(
    async () =>
      (await source.database.query("select pg_terminate_backend(pid) from pg_locks where not granted and relation = 'held'::regclass"))
        .length > 0,
    { what: "pg_dump to wait" },
  );
  await outcome;
});

test("an attribute that only some minor versions know is left behind", async () => {
  await using source = await side("old", 15);
  await using target = await side("new", 18);
  await source.database.query("create table t (id int, v text); alter table t alter column v set (n_distinct = 7)");
  await source.database.query(
    `set allow_system_table_mods = on; update pg_attribute set attoptions = coalesce(attoptions, '{}') || '{pg_attver=812118144}' where attrelid = 't'::regclass and attnum > 0`,
  );
  const { objects } = await dump(source, 180000, { pgDump: "built-in" });
  expect(failuresOf(await restoreAll(target, objects))).toEqual([]);
  expect(
    await target.database.query(
      "select attname::text, attoptions from pg_attribute where attrelid = 't'::regclass and attnum > 0 order by attnum",
    ),
  ).toEqual([
    { attname: "id", attoptions: null },
    { attname: "v", attoptions: ["n_distinct=7"] },
  ]);
});

test("what we installed stays behind", async () => {
  await using source = await side("old", 18);
  await source.database.query(`create schema bucardo; create table bucardo.delta (id int); create table t (id int primary key);
    create function bucardo.capture() returns trigger language plpgsql as $$ begin return null; end $$;
    create trigger bucardo_insert after insert on t for each statement execute function bucardo.capture(); alter table t enable always trigger bucardo_insert;
    comment on trigger bucardo_insert on t is 'ours'; comment on schema bucardo is 'ours'; grant usage on schema bucardo to public;`);
  const { objects } = await dump(source, 180000, { pgDump: "built-in" });
  expect(objects.map(({ id }) => id)).toEqual(["TABLE public.t", "CONSTRAINT public.t t_pkey"]);
});
