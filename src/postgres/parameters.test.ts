import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { resolveParameters, type Surroundings } from "./parameters.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "bucardo-home-"));
});
afterEach(() => rmSync(home, { recursive: true }));

const around = (env: Surroundings["env"] = {}): Surroundings => ({ env, home, osUser: "os" });

function write(name: string, text: string, mode = 0o600): string {
  const path = join(home, name);
  writeFileSync(path, text, { mode });
  return path;
}

test("defaults are libpq's", () => {
  expect(resolveParameters({ name: "a", port: 1 }, around())).toMatchObject({
    host: "localhost",
    hostaddr: null,
    port: 1,
    user: "os",
    dbname: "os",
    password: null,
    sslmode: "prefer",
    timeoutMs: null,
  });
  expect(resolveParameters({ name: "a", user: "me", port: 1 }, around())).toMatchObject({ user: "me", dbname: "me" });
});

test("fields before words before the service before the environment", () => {
  write(".pg_service.conf", "[s]\nhost=service\nport=2\nuser=service\ndbname=service\n");
  const env = {
    PGHOST: "env",
    PGPORT: "1",
    PGUSER: "env",
    PGDATABASE: "env",
    PGPASSWORD: "env",
    PGSSLMODE: "require",
    PGCONNECT_TIMEOUT: "7",
  };
  const at = around(env);
  expect(resolveParameters({ name: "a" }, at)).toMatchObject({
    host: "env",
    port: 1,
    user: "env",
    dbname: "env",
    password: "env",
    sslmode: "require",
    timeoutMs: 7000,
  });
  expect(resolveParameters({ name: "a", service: "s" }, at)).toMatchObject({ host: "service", port: 2, user: "service", password: "env" });
  expect(resolveParameters({ name: "a", conn: "service=s user=words sslmode=disable" }, at)).toMatchObject({
    host: "service",
    user: "words",
    sslmode: "disable",
  });
  expect(resolveParameters({ name: "a", conn: "service=s user=words", user: "field" }, at)).toMatchObject({
    host: "service",
    user: "field",
  });
  expect(resolveParameters({ name: "a" }, around({ ...env, PGSERVICE: "s" }))).toMatchObject({ host: "service", dbname: "service" });
  expect(resolveParameters({ name: "a", url: "postgres://url@url/url", conn: "user=words" }, at)).toMatchObject({
    host: "url",
    user: "words",
    dbname: "url",
  });
});

test("null, undefined and empty all mean not given", () => {
  const env = { PGHOST: "env", PGUSER: "" };
  expect(resolveParameters({ name: "a", host: null, user: "", dbname: undefined, port: null }, around(env))).toMatchObject({
    host: "env",
    user: "os",
    port: 5432,
  });
});

test("an address is used instead of the host, unless the host was named more exactly", () => {
  expect(resolveParameters({ name: "a", conn: "host=db.test hostaddr=10.0.0.1" }, around())).toMatchObject({
    host: "db.test",
    hostaddr: "10.0.0.1",
  });
  expect(resolveParameters({ name: "a", conn: "hostaddr=10.0.0.1" }, around())).toMatchObject({ host: "10.0.0.1", hostaddr: "10.0.0.1" });
  expect(resolveParameters({ name: "a", host: "mine" }, around({ PGHOSTADDR: "10.0.0.1" }))).toMatchObject({
    host: "mine",
    hostaddr: null,
  });
});

test("services are looked for in the user's file, then in the system's", () => {
  mkdirSync(join(home, "etc"));
  write("etc/pg_service.conf", "[s]\nhost=system\n[t]\nhost=t\n");
  write(".pg_service.conf", "[s]\nhost=user\n");
  const env = { PGSYSCONFDIR: join(home, "etc") };
  expect(resolveParameters({ name: "a", service: "s" }, around(env)).host).toBe("user");
  expect(resolveParameters({ name: "a", service: "t" }, around(env)).host).toBe("t");
  const own = write("own", "[s]\nhost=own\n");
  expect(resolveParameters({ name: "a", service: "s" }, around({ ...env, PGSERVICEFILE: own })).host).toBe("own");
  expect(() => resolveParameters({ name: "a", service: "u" }, around(env))).toThrow('service "u" is not defined');
});

test("passwords from the password file; the usual sockets are localhost there", () => {
  const file = write(".pgpass", "db1:5432:app:me:one\nlocalhost:*:*:*:two\n/run/own:*:*:*:three\n");
  const of = (fields: object, env: Surroundings["env"] = {}) =>
    resolveParameters({ name: "a", dbname: "app", user: "me", ...fields }, around(env));
  expect(of({ host: "db1" })).toMatchObject({ password: "one", passwordNote: `the password from ${file}` });
  expect(of({ host: "/tmp" }).password).toBe("two");
  expect(of({ host: "/run/own" }).password).toBe("three");
  expect(of({ host: "db2" })).toMatchObject({ password: null, passwordNote: expect.stringContaining("has no line for db2:5432:app:me") });
  expect(of({ host: "db1", password: "given" }).password).toBe("given");
  const other = write("other", "*:*:*:*:four\n");
  expect(of({ host: "db1" }, { PGPASSFILE: other }).password).toBe("four");
  expect(of({ host: "db1", pgpass: file }, { PGPASSFILE: other }).password).toBe("one");
});

test("a password file that others may read is not used: an error if it was named, else a note", () => {
  const file = write(".pgpass", "*:*:*:*:one\n", 0o640);
  expect(resolveParameters({ name: "a" }, around())).toMatchObject({
    password: null,
    passwordNote: expect.stringContaining("may be read by others"),
  });
  expect(() => resolveParameters({ name: "a", pgpass: file }, around())).toThrow("may be read by others");
  expect(() => resolveParameters({ name: "a", pgpass: join(home, "missing") }, around())).toThrow("there is no password file");
});

test("certificates of ~/.postgresql are found; words come first", () => {
  mkdirSync(join(home, ".postgresql"));
  const root = write(".postgresql/root.crt", "x");
  expect(resolveParameters({ name: "a" }, around()).ssl).toMatchObject({ sslrootcert: root });
  expect(resolveParameters({ name: "a", conn: "sslrootcert=/other" }, around()).ssl).toMatchObject({ sslrootcert: "/other" });
  expect(resolveParameters({ name: "a", conn: "sslrootcert=system" }, around()).sslmode).toBe("verify-full");
});

test.for([
  [{ conn: "port=0" }, "port"],
  [{ conn: "port=abc" }, "port"],
  [{ port: 70_000 }, "port"],
  [{ conn: "sslmode=maybe" }, "sslmode"],
  [{ conn: "connect_timeout=soon" }, "connect_timeout"],
  [{ conn: "channel_binding=x" }, "channel_binding"],
  [{ conn: "gssencmode=require" }, "gssencmode"],
  [{ conn: "target_session_attrs=standby" }, "target_session_attrs"],
] as const)("%o is refused, naming database and word", ([fields, word]) => {
  expect(() => resolveParameters({ name: "a", ...fields }, around())).toThrow(new RegExp(`database "a".*${word}`));
});

test("a time of 0 or less does not mean for ever here; 1 means 2, as in libpq", () => {
  const of = (seconds: string) => resolveParameters({ name: "a", conn: `connect_timeout=${seconds}` }, around()).timeoutMs;
  expect([of("0"), of("-1"), of("1"), of("20")]).toEqual([null, null, 2000, 20_000]);
});
