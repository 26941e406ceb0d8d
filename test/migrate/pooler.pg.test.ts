import { readFile, stat } from "node:fs/promises";
import type pg from "pg";
import { expect, test } from "vitest";
import { cutover } from "../../src/migrate/cutover.ts";
import type { PoolerRequest } from "../../src/migrate/pooler.ts";
import { needsProgram } from "../harness/needs-program.ts";
import { startPgBouncer, type PgBouncer } from "../harness/pgbouncer.ts";
import { waitFor } from "../harness/wait.ts";
import { at } from "../hazards/steering.ts";
import { openRig, type Rig } from "../replicate/rig.ts";
import { contextOf, describe, switchOver } from "./rig.ts";

const schema = `
  create sequence ids;
  create table journal (writer int, n int, id int not null default nextval('ids'), primary key (writer, n));
  create table total (id int primary key, n int);
  insert into total select i, 0 from generate_series(0, 49) i`;

async function openShop(): Promise<Rig> {
  return openRig({ schema, tables: ["journal", "total"], sequences: ["ids"] });
}

function requestOf(bouncer: PgBouncer, rig: Rig, change: Partial<PoolerRequest> = {}): PoolerRequest {
  const { host, port } = rig.target.server;
  return {
    console: { name: "pooler", host: "127.0.0.1", port: bouncer.port, user: "postgres", dbname: "pgbouncer" },
    database: "shop",
    ini: bouncer.ini,
    to: { host, port, dbname: rig.target.name },
    ...change,
  };
}

/** Clients that take no error for an answer. */
class Clients implements AsyncDisposable {
  readonly commits: number[] = [];
  longestMs = 0;
  #open: pg.Client[] = [];
  #stopped = false;
  readonly #work: Promise<unknown>;

  constructor(bouncer: PgBouncer, count: number) {
    this.#work = Promise.all(Array.from({ length: count }, (_, index) => this.#write(bouncer, index)));
    this.#work.catch(() => undefined);
  }

  get sum(): number {
    return this.commits.reduce((sum, n) => sum + n, 0);
  }

  async more(commits: number): Promise<void> {
    const goal = this.sum + commits;
    await Promise.race([waitFor(() => this.sum >= goal, { what: `${commits} more commits` }), this.#work]);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#work;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#work.catch(() => undefined);
    await Promise.all(this.#open.map((client) => client.end().catch(() => undefined)));
  }

  async #write(bouncer: PgBouncer, writer: number): Promise<void> {
    this.commits[writer] = 0;
    const client = await bouncer.client();
    this.#open.push(client);
    for (let n = 1; !this.#stopped; n++) {
      const began = performance.now();
      await client.query("begin");
      await client.query("insert into public.journal (writer, n) values ($1, $2)", [writer, n]);
      await client.query("update public.total set n = n + 1 where id = $1", [writer]);
      await client.query("commit");
      this.commits[writer] = n;
      this.longestMs = Math.max(this.longestMs, performance.now() - began);
    }
  }
}

async function accounts(rig: Rig, side: "source" | "target"): Promise<number[]> {
  const rows = await rig[side].query<{ n: number }>(
    "select t.n from total t where t.n = (select count(*) from journal j where j.writer = t.id) and t.n = coalesce((select max(n) from journal j where j.writer = t.id), 0) order by t.id",
  );
  return rows.map(({ n }) => n);
}

test("50 clients behind a pooler are moved and see no error", async (context) => {
  const { pgbouncer } = needsProgram(context, "pgbouncer");
  await using rig = await openShop();
  await using bouncer = await startPgBouncer(pgbouncer, rig.source);
  await using clients = new Clients(bouncer, 50);
  await clients.more(500);
  const before = { text: await readFile(bouncer.ini, "utf8"), file: await stat(bouncer.ini) };

  const report = await switchOver(rig, { poolers: [requestOf(bouncer, rig)] });
  await clients.more(500);
  await clients.stop();
  expect(await accounts(rig, "target")).toEqual(clients.commits);
  expect((await rig.target.one<{ n: number }>("select count(distinct id)::int as n from journal")).n).toBe(clients.sum);
  await expect(rig.source.query("update total set n = 0")).rejects.toMatchObject({ code: "BU001" });
  expect(report.timings.map(({ step }) => step)).toEqual(expect.arrayContaining(["pause poolers", "repoint poolers", "resume poolers"]));

  const { host, port } = rig.target.server;
  expect(await readFile(bouncer.ini, "utf8")).toBe(
    before.text.replace(/shop = host=\S+ port=\S+ dbname=\S+/, `shop = host=${host} port=${port} dbname=${rig.target.name}`),
  );
  const after = await stat(bouncer.ini);
  expect([after.mode, after.uid, after.gid]).toEqual([before.file.mode, before.file.uid, before.file.gid]);
});

async function withoutMove(pgbouncer: string, rehearse: boolean): Promise<void> {
  await using rig = await openShop();
  await using bouncer = await startPgBouncer(pgbouncer, rig.source);
  await using clients = new Clients(bouncer, 10);
  await clients.more(100);
  const before = await readFile(bouncer.ini, "utf8");
  using standing = at("migrate.repointed", async () => {
    expect(await readFile(bouncer.ini, "utf8")).not.toBe(before);
    if (!rehearse) throw new Error("the test says no");
  });
  const report = await cutover(contextOf(rig, { rehearse, poolers: [requestOf(bouncer, rig)] }));
  expect(standing.passes, describe(report)).toBe(1);
  expect(report).toMatchObject({ outcome: rehearse ? "rehearsed" : "undone", warnings: [] });
  await clients.more(100);
  await clients.stop();
  expect(await readFile(bouncer.ini, "utf8")).toBe(before);
  expect(await accounts(rig, "source")).toEqual([...clients.commits, ...Array.from({ length: 40 }, () => 0)]);
  await rig.run();
  expect(await rig.differences()).toEqual([]);
}

test("a rehearsal with a pooler: clients wait a moment, see no error, and everything is as before", async (context) => {
  await withoutMove(needsProgram(context, "pgbouncer").pgbouncer, true);
});

test("a failure with a pooler: clients wait a moment, see no error, and everything is as before", async (context) => {
  await withoutMove(needsProgram(context, "pgbouncer").pgbouncer, false);
});

test("two poolers are one: when one cannot be paused in time, both go on", async (context) => {
  const { pgbouncer } = needsProgram(context, "pgbouncer");
  await using rig = await openShop();
  await using free = await startPgBouncer(pgbouncer, rig.source);
  await using held = await startPgBouncer(pgbouncer, rig.source);
  const client = await held.client();
  await client.query("begin; update public.total set n = 7 where id = 0");
  const poolers = [requestOf(free, rig), requestOf(held, rig)];
  const report = await cutover(contextOf(rig, { poolers, budgetMs: 500, override: ["long-transactions"] }));
  expect(report).toMatchObject({ outcome: "undone", why: { code: "over-budget" }, warnings: [] });
  await client.query("commit");
  await client.end();
  for (const bouncer of [free, held]) {
    expect((await bouncer.ask("SHOW DATABASES")).find(({ name }) => name === "shop")).toMatchObject({ paused: 0 });
    const again = await bouncer.client();
    await again.query("update public.total set n = 8 where id = 0");
    await again.end();
  }
});

test("what is wrong with a pooler is known before anything begins", async (context) => {
  const { pgbouncer } = needsProgram(context, "pgbouncer");
  await using rig = await openShop();
  await using bouncer = await startPgBouncer(pgbouncer, rig.source);
  const wrong: [Partial<PoolerRequest>, string][] = [
    [{ database: "other" }, "has no database other"],
    [{ ini: `${bouncer.ini}.missing` }, "ENOENT"],
    [{ console: { name: "away", host: "127.0.0.1", port: 1, user: "postgres", dbname: "pgbouncer" } }, "pooler away"],
  ];
  for (const [change, text] of wrong) {
    const report = await cutover(contextOf(rig, { poolers: [requestOf(bouncer, rig, change)] }));
    expect(report).toMatchObject({
      outcome: "refused",
      why: { code: "gate-closed", message: expect.stringContaining(text) },
      downtimeMs: null,
    });
  }
});
