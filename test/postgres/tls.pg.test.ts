import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Disposer } from "../../src/base/disposer.ts";
import { cancelQuery } from "../../src/postgres/cancel.ts";
import { connect, type ConnectOptions } from "../../src/postgres/connect.ts";
import { copyBetween } from "../../src/postgres/copy.ts";
import type { Session } from "../../src/postgres/session.ts";
import { sql } from "../../src/postgres/sql.ts";
import { createAuthority } from "../harness/certificate.ts";
import { onServer } from "../harness/database.ts";
import { scratch } from "../harness/scratch.ts";
import { startServer, type Server } from "../harness/server.ts";

const cleanup = new Disposer();
const authority = createAuthority("ours");
const stranger = createAuthority("somebody else");
let secured: Server; // certificate for db.test and 127.0.0.1
let misnamed: Server; // certificate for another name
let plain: Server; // no TLS
let files: Record<"root" | "strangeRoot" | "certificate" | "key", string>;

beforeAll(async () => {
  const folder = cleanup.use(await scratch());
  const tls = (hosts: string[]) => ({ ...authority.issue({ commonName: hosts[0] ?? "", hosts }), clientAuthority: authority.certificate });
  const hba = [
    "hostssl all certified 127.0.0.1/32 cert",
    "hostnossl all plainonly 127.0.0.1/32 trust",
    "hostssl all plainonly 127.0.0.1/32 reject",
    "hostnossl all sslonly 127.0.0.1/32 reject",
  ];
  secured = cleanup.use(
    await startServer({
      major: 18,
      tls: tls(["db.test", "127.0.0.1"]),
      auth: "scram-sha-256",
      hba: [...hba, "hostssl all sslonly 127.0.0.1/32 trust"],
    }),
  );
  misnamed = cleanup.use(await startServer({ major: 12, tls: tls(["other.test"]) }));
  plain = cleanup.use(await startServer({ major: 15 }));
  await onServer(secured, (admin) =>
    admin.query(
      "create role keyed superuser login password 'geheim'; create role certified login; create role plainonly login; create role sslonly login",
    ),
  );
  const client = authority.issue({ commonName: "certified" });
  const write = async (name: string, text: string) => {
    const path = join(folder.path, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  files = {
    root: await write("root.crt", authority.certificate),
    strangeRoot: await write("strange.crt", stranger.certificate),
    certificate: await write("client.crt", client.certificate),
    key: await write("client.key", client.key),
  };
}, 120_000);

afterAll(() => cleanup[Symbol.asyncDispose]());

function to(server: Server, conn: string, more: Partial<ConnectOptions> = {}): ConnectOptions {
  return { name: "db", host: server.host, port: server.port, user: "postgres", dbname: "postgres", conn, ...more };
}

async function encrypted(session: Session): Promise<boolean> {
  return (await session.one<{ ssl: boolean }>(sql("test.ssl", "select ssl from pg_stat_ssl where pid = pg_backend_pid()"))).ssl;
}

async function outcome(options: ConnectOptions): Promise<boolean | string> {
  try {
    await using session = await connect(options);
    return await encrypted(session);
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const keyed = { user: "keyed", password: "geheim" };

test("sslmode decides whether TLS is used", async () => {
  expect(await outcome(to(secured, "sslmode=disable", keyed))).toBe(false);
  expect(await outcome(to(secured, "sslmode=allow", keyed))).toBe(false);
  expect(await outcome(to(secured, "", keyed))).toBe(true);
  expect(await outcome(to(secured, "sslmode=prefer", keyed))).toBe(true);
  expect(await outcome(to(secured, "sslmode=require", keyed))).toBe(true);
  expect(await outcome(to(plain, "sslmode=prefer"))).toBe(false);
  expect(await outcome(to(plain, "sslmode=require"))).toBe("connection-failed");
  expect(await outcome(to(plain, `sslmode=verify-full sslrootcert=${files.root}`))).toBe("connection-failed");
});

test("prefer and allow try the other way when pg_hba.conf has no line for the first", async () => {
  expect(await outcome(to(secured, "sslmode=prefer", { user: "plainonly" }))).toBe(false);
  expect(await outcome(to(secured, "sslmode=require", { user: "plainonly" }))).toBe("authentication-failed");
  expect(await outcome(to(secured, "sslmode=allow", { user: "sslonly" }))).toBe(true);
  expect(await outcome(to(secured, "sslmode=disable", { user: "sslonly" }))).toBe("authentication-failed");
});

test("the verify modes check the chain, verify-full also the name", async () => {
  const root = `sslrootcert=${files.root}`;
  expect(await outcome(to(secured, `sslmode=verify-ca ${root}`, keyed))).toBe(true);
  expect(await outcome(to(secured, `sslmode=verify-full ${root}`, keyed))).toBe(true);
  expect(await outcome(to(secured, `sslmode=verify-full hostaddr=${secured.host} ${root}`, { ...keyed, host: null }))).toBe(true);
  expect(await outcome(to(secured, `sslmode=verify-full host=db.test hostaddr=${secured.host} ${root}`, { ...keyed, host: null }))).toBe(
    true,
  );
  expect(await outcome(to(misnamed, `sslmode=verify-ca ${root}`))).toBe(true);
  expect(await outcome(to(misnamed, `sslmode=verify-full ${root}`))).toBe("connection-failed");
  expect(await outcome(to(misnamed, `sslmode=verify-full host=localhost ${root}`, { host: null }))).toBe("connection-failed");
  expect(await outcome(to(misnamed, "sslmode=require"))).toBe(true);
});

test("a root certificate of somebody else is refused, in require as well, as libpq does", async () => {
  for (const mode of ["require", "verify-ca", "verify-full"]) {
    expect(await outcome(to(secured, `sslmode=${mode} sslrootcert=${files.strangeRoot}`, keyed))).toBe("connection-failed");
  }
});

test("verify-full without a root certificate says what is missing", async () => {
  await expect(connect(to(secured, "sslmode=verify-full", keyed))).rejects.toMatchObject({
    code: "bad-value",
    message: expect.stringContaining("root certificate"),
    advice: expect.stringContaining("sslrootcert"),
  });
  await expect(connect(to(secured, "sslmode=require sslrootcert=/not/there.crt", keyed))).rejects.toMatchObject({
    code: "bad-value",
    message: expect.stringContaining("/not/there.crt"),
  });
});

test("a client certificate is who we are", async () => {
  const words = `sslmode=verify-full sslrootcert=${files.root}`;
  const certificate = `sslcert=${files.certificate} sslkey=${files.key}`;
  await using session = await connect(to(secured, `${words} ${certificate}`, { user: "certified" }));
  expect(await session.one(sql("test.who", "select current_user::text as name"))).toEqual({ name: "certified" });
  expect(await outcome(to(secured, words, { user: "certified" }))).toBe("authentication-failed");
  expect(await outcome(to(secured, `${words} ${certificate}`, { user: "keyed", password: "falsch" }))).toBe("authentication-failed");
});

test("a client certificate that the server does not trust", async () => {
  const unknown = stranger.issue({ commonName: "certified" });
  const folder = cleanup.use(await scratch());
  const [certificate, key] = [join(folder.path, "unknown.crt"), join(folder.path, "unknown.key")];
  await writeFile(certificate, unknown.certificate);
  await writeFile(key, unknown.key, { mode: 0o600 });
  expect(await outcome(to(secured, `sslmode=require sslcert=${certificate} sslkey=${key}`, { user: "certified" }))).toBe(
    "connection-failed",
  );
});

test("a client certificate needs its key, and the key is for us only", async () => {
  const folder = cleanup.use(await scratch());
  const open = join(folder.path, "open.key");
  await writeFile(open, await readFile(files.key, "utf8"), { mode: 0o640 });
  await expect(connect(to(secured, `sslmode=require sslcert=${files.certificate}`, keyed))).rejects.toMatchObject({
    code: "bad-value",
    message: expect.stringContaining("sslkey is missing"),
  });
  await expect(connect(to(secured, `sslmode=require sslcert=${files.certificate} sslkey=${open}`, keyed))).rejects.toMatchObject({
    code: "bad-value",
    advice: `chmod 600 ${open}`,
  });
});

test("SCRAM is bound to the channel where TLS allows it", async () => {
  await using session = await connect(to(secured, "sslmode=require channel_binding=require", keyed));
  expect(await encrypted(session)).toBe(true);
  expect(await outcome(to(secured, "sslmode=disable channel_binding=require", keyed))).toBe("authentication-failed");
});

test("copy and cancel work over TLS", async () => {
  await using source = await connect(to(secured, "sslmode=require", keyed));
  await using target = await connect(to(misnamed, "sslmode=require"));
  await target.script(sql("test.shape", "create table public.tls (a int, b text)"));
  const job = {
    from: source,
    fromText: sql(
      "test.out",
      "copy (select g, repeat('x', g % 1000) from generate_series(1, 20000) g union all select 0, repeat('y', 5000000)) to stdout",
    ),
    to: target,
    toText: sql("test.in", "copy public.tls from stdin"),
  };
  expect(await copyBetween(job)).toMatchObject({ rows: 20_001 });
  expect(await target.one(sql("test.sum", "select sum(length(b)) as n from public.tls"))).toEqual({ n: 14_990_000 });

  const sleeping = source.query(sql("test.sleep", "select pg_sleep(100)"));
  const ended = expect(sleeping).rejects.toMatchObject({ code: "interrupted", details: { sqlstate: "57014" } });
  await using observer = await connect(to(secured, "sslmode=require", keyed));
  for (let busy = false; !busy;)
    busy = (
      await observer.one<{ busy: boolean }>(
        sql("test.busy", "select state = 'active' as busy from pg_stat_activity where pid = $1", [source.backendPid]),
      )
    ).busy;
  await cancelQuery(source);
  await ended;

  const stop = new AbortController();
  const endless = { ...job, fromText: sql("test.out", "copy (select generate_series(1, 2000000000), repeat('x', 100)) to stdout") };
  const stopped = copyBetween({ ...endless, signal: stop.signal, onBytes: (total) => total > 3_000_000 && stop.abort() });
  await expect(stopped).rejects.toMatchObject({ code: "interrupted" });
  expect(await encrypted(source)).toBe(true);
  expect(await encrypted(target)).toBe(true);
});
