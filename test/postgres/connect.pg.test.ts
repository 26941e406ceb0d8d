import { createConnection, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BucardoError } from "../../src/model/error.ts";
import { connect, type ConnectOptions } from "../../src/postgres/connect.ts";
import { ConnectionLimit } from "../../src/postgres/limit.ts";
import { sql } from "../../src/postgres/sql.ts";
import { createDatabase, onServer } from "../harness/database.ts";
import { freePort } from "../harness/port.ts";
import { scratch } from "../harness/scratch.ts";
import { startServer } from "../harness/server.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";
import { answers, sessionTo } from "./rig.ts";

const nowhere = { name: "db", host: "127.0.0.1", user: "somebody", dbname: "somewhere", password: "geheim" };

async function failureOf(options: ConnectOptions): Promise<BucardoError> {
  const outcome = await connect(options).then(
    (session) => session.close().then(() => new Error("connected")),
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(BucardoError);
  const failure = outcome as BucardoError;
  expect(`${failure.message} ${failure.advice}`).not.toContain("geheim");
  expect(failure.advice).not.toBe("");
  return failure;
}

/** Something that listens and is no PostgreSQL. */
async function impostor(behave: (socket: Socket) => unknown): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    behave(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("nothing listens", async () => {
  const port = await freePort();
  const failure = await failureOf({ ...nowhere, port });
  expect(failure).toMatchObject({ code: "connection-failed", details: { db: "db" } });
  expect(failure.message).toContain(`127.0.0.1:${port}`);
});

test("no such host", async () => {
  expect(await failureOf({ ...nowhere, host: "no-such-host.invalid" })).toMatchObject({
    code: "connection-failed",
    message: expect.stringContaining("no-such-host.invalid:5432"),
  });
});

test("no such socket", async () => {
  await using folder = await scratch();
  expect(await failureOf({ ...nowhere, host: folder.path })).toMatchObject({
    code: "connection-failed",
    message: expect.stringContaining("Unix socket"),
  });
});

const impostors: readonly (readonly [string, (socket: Socket) => unknown, string])[] = [
  [
    "answers like a web server",
    (socket: Socket) => socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    "not-postgres",
  ],
  ["greets first, like ssh", (socket: Socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n"), "not-postgres"],
  ["closes without a word", (socket: Socket) => socket.once("data", () => socket.destroy()), "not-postgres"],
  ["resets the connection", (socket: Socket) => socket.once("data", () => socket.resetAndDestroy()), "not-postgres"],
  ["sends garbage", (socket: Socket) => socket.once("data", () => socket.write(Buffer.alloc(1000, 0xff))), "not-postgres"],
  ["never says anything", () => undefined, "connection-failed"],
];

test.for(impostors)("something that %s", async ([, behave, code]) => {
  await using other = await impostor(behave);
  for (const conn of ["", "sslmode=disable", "sslmode=require"]) {
    const failure = await failureOf({ ...nowhere, port: other.port, connectTimeoutMs: 300, conn });
    expect(failure).toMatchObject({ code, message: expect.stringContaining(`127.0.0.1:${other.port}`) });
  }
});

test("something that speaks the protocol and then breaks it ends the connection, not the process", async () => {
  const authenticationOk = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);
  await using other = await impostor((socket) => {
    socket.once("data", () => socket.write(Buffer.concat([authenticationOk, Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 99])])));
  });
  expect(await failureOf({ ...nowhere, port: other.port, conn: "sslmode=disable" })).toMatchObject({ code: "not-postgres" });
});

test("a way of authentication that we do not know is named", async () => {
  await using other = await impostor((socket) => {
    socket.once("data", () => socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 7])));
  });
  const failure = await failureOf({ ...nowhere, port: other.port, conn: "sslmode=disable" });
  expect(failure).toMatchObject({ code: "authentication-failed", message: expect.stringContaining("number 7") });
});

test("the time for connecting ends a wait, and so does the signal", async () => {
  await using silent = await impostor(() => undefined);
  const began = performance.now();
  expect(await failureOf({ ...nowhere, port: silent.port, connectTimeoutMs: 200 })).toMatchObject({
    code: "connection-failed",
    message: expect.stringContaining("0.2 s"),
  });
  expect(performance.now() - began).toBeLessThan(5000);
  const stop = new AbortController();
  const waiting = failureOf({ ...nowhere, port: silent.port, signal: stop.signal });
  stop.abort();
  expect(await waiting).toMatchObject({ code: "interrupted" });
});

test("a connection pooler is recognised before anything is set on the connection of others", async () => {
  const server = await sharedServer(15);
  await using database = await createDatabase(server);
  const backendKey = Buffer.from([0x4b, 0, 0, 0, 12]);
  await using pooler = await impostor((near) => {
    const far = createConnection({ host: server.host, port: server.port });
    near.pipe(far).on("error", () => near.destroy());
    far.on("data", (chunk) => {
      // Poolers give keys of their own.
      const at = chunk.indexOf(backendKey);
      if (at >= 0) chunk.writeInt32BE(chunk.readInt32BE(at + 5) + 1, at + 5);
      near.write(chunk);
    });
    near.on("close", () => far.destroy());
  });
  const { user } = database.connection;
  expect(
    await failureOf({ name: "db", host: "127.0.0.1", port: pooler.port, user, dbname: database.name, conn: "sslmode=disable" }),
  ).toMatchObject({
    code: "connection-failed",
    message: expect.stringContaining("pooler"),
  });
});

test("an unknown database, an unknown user, no right to connect", async () => {
  const server = await sharedServer(15);
  await using database = await createDatabase(server);
  await database.query(`revoke connect on database ${database.name} from public; drop role if exists barred; create role barred login`);
  const { host, port } = database.connection;
  expect(await failureOf({ name: "db", host, port, user: "postgres", dbname: "not_there" })).toMatchObject({
    code: "connection-failed",
    message: expect.stringMatching(/not_there.*postgres/),
    details: { sqlstate: "3D000" },
  });
  expect(await failureOf({ name: "db", host, port, user: "not_there", dbname: "postgres" })).toMatchObject({
    code: "authentication-failed",
    details: { sqlstate: "28000" },
  });
  expect(await failureOf({ name: "db", host, port, user: "barred", dbname: database.name })).toMatchObject({
    code: "authentication-failed",
    details: { sqlstate: "42501" },
  });
  await database.query("drop role barred");
});

test.for(["scram-sha-256", "md5", "password"] as const)("passwords by %s: right, wrong, missing, from files", async (auth) => {
  await using server = await startServer({ major: 15, auth, settings: { password_encryption: auth === "md5" ? "md5" : "scram-sha-256" } });
  await using folder = await scratch();
  await onServer(server, (admin) => admin.query("create role keyed login password 'geheim'"));
  const { host, port } = server;
  const to = { name: "db", host, port, user: "keyed", dbname: "postgres" };

  await using given = await connect({ ...to, password: "geheim" });
  expect(await answers(given)).toBe(true);
  expect(await failureOf({ ...to, password: "falsch" })).toMatchObject({
    code: "authentication-failed",
    details: { sqlstate: "28P01" },
    message: expect.stringMatching(/postgres.*keyed/),
  });

  const file = join(folder.path, "pgpass");
  await writeFile(file, `other:*:*:*:falsch\n${host}:${port}:postgres:keyed:geheim\n`, { mode: 0o600 });
  await using filed = await connect({ ...to, pgpass: file });
  expect(await answers(filed)).toBe(true);
  await using worded = await connect({ ...to, conn: `passfile=${file}` });
  expect(await answers(worded)).toBe(true);

  await writeFile(file, "other:*:*:*:falsch\n");
  expect(await failureOf({ ...to, pgpass: file })).toMatchObject({
    code: "authentication-failed",
    message: expect.stringContaining(`no line for ${host}:${port}:postgres:keyed`),
  });
});

test("a password file that others may read is refused", async () => {
  await using folder = await scratch();
  const file = join(folder.path, "pgpass");
  await writeFile(file, "*:*:*:*:geheim\n", { mode: 0o644 });
  expect(await failureOf({ name: "db", host: "127.0.0.1", pgpass: file })).toMatchObject({
    code: "authentication-failed",
    advice: `chmod 600 ${file}`,
  });
  expect(await failureOf({ name: "db", host: "127.0.0.1", pgpass: `${file}.missing` })).toMatchObject({ code: "authentication-failed" });
});

test("a server without room, and one that is starting or stopping", async () => {
  await using server = await startServer({ major: 15, settings: { max_connections: 5, superuser_reserved_connections: 1 } });
  await onServer(server, (admin) => admin.query("create role plain login"));
  const { host, port } = server;
  const to = { name: "db", host, port, user: "plain", dbname: "postgres" };
  await using a = await connect(to);
  await using b = await connect(to);
  await using c = await connect(to);
  await using d = await connect(to);
  expect(await failureOf(to)).toMatchObject({ code: "too-many-connections", details: { sqlstate: "53300" } });
  for (const session of [a, b, c, d]) await session.close();

  await onServer(server, (admin) => admin.query("create table t as select generate_series(1, 10)"));
  await using holder = await connect(to);
  await holder.execute(sql("test.sleep", "begin"));
  process.kill(server.pid, "SIGTERM"); // "smart": waits for clients, admits no new ones
  const failure = await waitFor(
    async () => {
      const seen = await failureOf(to).catch(() => null);
      return seen?.code === "server-not-ready" ? seen : null;
    },
    { what: "the server to refuse" },
  );
  expect(failure).toMatchObject({ details: { sqlstate: "57P03" } });
  await holder.close();
});

test("a frozen server is given up in time", async () => {
  await using server = await startServer({ major: 15 });
  server.freeze();
  const { host, port } = server;
  for (const conn of ["sslmode=disable", "sslmode=prefer"]) {
    expect(await failureOf({ name: "db", host, port, user: "postgres", conn, connectTimeoutMs: 300 })).toMatchObject({
      code: "connection-failed",
    });
  }
  server.thaw();
});

test("by URL, by words, by service, by socket and by environment", async () => {
  const server = await sharedServer(15);
  await using database = await createDatabase(server);
  const { host, port, user } = database.connection;
  await using folder = await scratch();
  await mkdir(join(folder.path, "etc"));
  await writeFile(join(folder.path, "services"), `[mine]\nhost=${host}\nport=${port}\nuser=${user}\ndbname=${database.name}\n`);
  const ways: ConnectOptions[] = [
    { name: "db", url: `postgresql://${user}@${host}:${port}/${database.name}?sslmode=disable` },
    { name: "db", conn: `host=${host} port=${port} user=${user} dbname='${database.name}'` },
    { name: "db", host: server.socketDir, port, user, dbname: database.name },
    { name: "db", service: "mine" },
    { name: "db", conn: "service=mine" },
  ];
  const before = process.env["PGSERVICEFILE"];
  process.env["PGSERVICEFILE"] = join(folder.path, "services");
  try {
    for (const way of ways) {
      await using session = await connect(way);
      expect(await session.one(sql("test.where", "select current_database()::text as name"))).toEqual({ name: database.name });
    }
    expect(await failureOf({ name: "db", service: "other" })).toMatchObject({
      code: "bad-value",
      message: expect.stringContaining('"other"'),
    });
  } finally {
    if (before === undefined) delete process.env["PGSERVICEFILE"];
    else process.env["PGSERVICEFILE"] = before;
  }
});

test("no more connections than allowed; a closed and a lost one make room", async () => {
  const server = await sharedServer(15);
  await using database = await createDatabase(server);
  const limit = new ConnectionLimit(2);
  const key = `${server.host}:${server.port}`;
  await using first = await sessionTo(database, { limit });
  await using second = await sessionTo(database, { limit });
  expect(limit.used(key)).toBe(2);
  let third = sessionTo(database, { limit });
  await first.close();
  await using admitted = await third;
  third = sessionTo(database, { limit });
  await database.query("select pg_terminate_backend($1)", [second.backendPid]);
  await using admittedToo = await third;
  expect(limit.used(key)).toBe(2);
  for (const session of [admitted, admittedToo]) await session.close();
  expect(limit.used(key)).toBe(0);
  await failureOf({ name: "db", host: server.host, port: server.port, user: "postgres", dbname: "not_there", limit });
  expect(limit.used(key)).toBe(0);
});
