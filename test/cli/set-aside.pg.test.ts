import { expect, test } from "vitest";
import { equalTables } from "../harness/equal-tables.ts";
import { waitFor } from "../harness/wait.ts";
import { startDaemon } from "./daemon.ts";
import { openSite, type Site } from "./site.ts";

const SCHEMA = "create table person (id integer primary key, mail text, age integer)";

type Listed = {
  readonly rows: readonly {
    id: number;
    target: string;
    table: string;
    kind: string;
    key: string[];
    image: Record<string, string> | null;
    sqlstate: string;
    replay: boolean;
  }[];
};

/** A sync s from A to B and C; B refuses people without an age. */
async function siteOf(policy: string): Promise<Site> {
  const site = await openSite({ majors: [15, 15, 15], schema: SCHEMA });
  for (const name of ["A", "B", "C"]) await site.ok(`add db ${name} $${name}`);
  await site.databases[1]!.query("alter table person add constraint grown_up check (age >= 18)");
  await site.ok(`add sync s tables=person dbs=A:source,B:target,C:target strict_checking=off ${policy}`);
  return site;
}

async function listed(site: Site, more = ""): Promise<Listed["rows"]> {
  return (JSON.parse(await site.ok(`list set-aside s ${more} --json`)) as Listed).rows;
}

test("a refused row is listed, shown by status and compare, and replayed as the source has it then", async () => {
  await using site = await siteOf("on_error=set_aside");
  const [source, target] = site.databases as [Site["databases"][0], Site["databases"][0]];
  expect(JSON.parse(await site.ok("list syncs --json"))).toMatchObject({ syncs: [{ on_error: "set_aside" }] });
  await using daemon = await startDaemon(site);
  await source.query(
    "insert into person select i, 'SECRET' || i, 20 + i from generate_series(1, 9) i; update person set age = 3 where id in (4, 7)",
  );
  await site.ok("kick s 0");
  const rows = await listed(site);
  expect(rows).toMatchObject([
    { target: "B", table: "public.person", kind: "refused", key: ["4"], image: { id: "4", mail: "SECRET4", age: "3" }, sqlstate: "23514" },
    { target: "B", key: ["7"], replay: false },
  ]);
  expect(await site.ok("list set-aside")).toContain("public.person (id=4) refused");
  expect(await site.ok(`list set-aside s ${rows[1]!.id} -v`)).toContain("mail = SECRET7");
  expect(await site.ok("status")).toContain("s: 2 rows set aside");
  const status = await site.ok("status s");
  expect(status).toMatch(/Set aside +: 2 rows/);
  expect(status).toMatch(/public\.person: 7 upserted, 0 deleted, 2 set aside, \d+ bytes, \d+ ms/);
  const compared = await site.run("compare s B patience=0");
  expect(compared.code).toBe(1);
  expect(compared.out).toContain("(4) only on the source, set aside");
  expect(JSON.parse((await site.run("compare s B patience=0 --json")).out)).toMatchObject({
    equal: false,
    targets: [{ tables: [{ differences: [], expected: [{ key: ["4"] }, { key: ["7"] }] }] }],
  });
  expect(await equalTables(source, site.databases[2]!, ["person"])).toEqual([]);

  expect(await site.ok("replay s all --dryrun")).toContain("2 rows");
  expect((await listed(site)).some((row) => row.replay)).toBe(false);
  await source.query("update person set age = 44 where id = 4");
  await waitFor(async () => (await listed(site)).length === 1, { what: "the change to supersede the row that was set aside" });
  expect(await site.ok(`replay s B ${rows[1]!.id}`)).toContain('1 row of sync "s"');
  await site.ok("kick s 0");
  expect((await listed(site)).map((row) => row.key)).toEqual([["7"]]);
  await target.query("alter table person drop constraint grown_up");
  await site.ok("replay s all");
  await site.ok("kick s 0");
  expect(await listed(site)).toEqual([]);
  expect(await site.ok("status s")).not.toContain("Set aside");
  expect((await site.run("compare s patience=0")).code).toBe(0);
  expect(daemon.log.lines.join("\n")).toMatch(/warn Run \d+: rows of public\.person were refused and set aside: 2/);
  expect(daemon.log.lines.join("\n")).not.toContain("SECRET");
});

test("what is discarded is forgotten, and the target differs from then on", async () => {
  await using site = await siteOf("on_error=set-aside");
  await using _daemon = await startDaemon(site);
  await site.databases[0]!.query("insert into person values (1, 'x', 2), (2, 'y', 30)");
  await site.ok("kick s 0");
  expect(await listed(site)).toHaveLength(1);
  const strange = await site.run("discard s nobody");
  expect(strange.err).toContain('"nobody" is neither a target');
  expect((await site.run("discard s 4711")).err).toContain("no row 4711");
  expect((await site.run("replay s")).code).not.toBe(0);
  expect(await site.ok("discard s all")).toContain("1 row of sync");
  expect(await site.ok("status")).not.toContain("set aside");
  expect((await site.run("compare s B patience=0")).out).toContain("(1) only on the source\n");
});

test("stop: once the cause is mended the target goes on by itself, without a kick and without a restart", async () => {
  await using site = await siteOf("");
  await using _daemon = await startDaemon(site, { retry_stopped: "300 ms" });
  const [source, target] = [site.databases[0]!, site.databases[1]!];
  await source.query("insert into person values (1, 'x', 2)");
  await waitFor(async () => (await site.ok("status s")).includes("Target B: Stopped"), { what: "B to stop" });
  await target.query("alter table person drop constraint grown_up");
  await waitFor(async () => (await equalTables(source, target, ["person"])).length === 0, { what: "B to go on" });
});

test("stop: the target stops with key and advice for people but not in the log; other targets go on; the policy can be changed meanwhile", async () => {
  await using site = await siteOf("");
  await using daemon = await startDaemon(site);
  await site.databases[0]!.query("insert into person values (1, 'SECRET', 30), (23571, 'SECRET', 2)");
  const kicked = await site.run("kick s 0");
  expect(kicked.code).toBe(2);
  expect(kicked.out).toContain("Row:        public.person (id=23571)");
  await waitFor(async () => (await site.ok("status s")).includes("Target C: Idle"), { what: "the other target" });
  const status = await site.ok("status s");
  expect(status).toMatch(/Row +: public\.person \(id=23571\)/);
  expect(status).toContain("grown_up");
  expect(await equalTables(site.databases[0]!, site.databases[2]!, ["person"])).toEqual([]);
  expect(daemon.log.lines.join("\n")).not.toContain("23571");
  expect(daemon.log.lines.join("\n")).toContain("grown_up");
  await site.ok("update sync s on_error=set_aside");
  await waitFor(async () => (await listed(site)).length === 1, { what: "the stopped target to go on by itself" });
});
