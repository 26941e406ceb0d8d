import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../harness/wait.ts";
import { startDaemon } from "./daemon.ts";
import { openSite, type Site } from "./site.ts";

/** What scripts and habits of the Perl program rely on: words, forms, names of notifications. One site; each test leaves its syncs as they were. */
let site: Site;

const SCHEMA = `
  create table shop (id int primary key, v text);
  create table sale (id int primary key, shop int references shop, v text);
  create table item (id int primary key, v text);
  create table both_ways (id int primary key, v text);
  create table whole (id int primary key, v text);
  create sequence ticket increment 5`;

beforeAll(async () => {
  site = await openSite({ majors: [15, 15, 15], schema: SCHEMA });
  // Enough for every watcher to keep its own: one that takes turns does not hear each NOTIFY.
  await site.ok("set max_connections=100");
  for (const name of ["A", "B", "C"]) await site.ok(`add db ${name} $${name}`);
  await site.ok("add sync auto tables=sale,ticket dbs=A:source,B:target");
  await site.ok("add sync hand tables=item dbs=A:source,B:target autokick=false");
  await site.ok("add sync swapped tables=both_ways dbs=B:source,C:source");
  await site.ok("add sync full tables=whole dbs=A:source,C:fullcopy status=inactive");
}, 60_000);
afterAll(() => site[Symbol.asyncDispose]());

const A = () => site.databases[0]!;
const B = () => site.databases[1]!;

// proves: 6.1/help
test("help of everything, of a verb, of a command; usage without a verb", async () => {
  const { out } = await site.run("help");
  expect(out).toMatch(
    /^Usage: bucardo \[options\] VERB [^]*\nSyncs:\n[^]*\n {2}kick +Ask syncs to run now[^]*\nDaemon:\n[^]*\n\nOptions \(anywhere on the line\):\n/,
  );
  expect(await site.run("--help")).toEqual({ code: 0, out, err: "" });
  expect((await site.run("-?")).out).toBe(out);
  expect(await site.run("help add")).toMatchObject({ code: 0, out: expect.stringMatching(/^Commands of add:\n[^]*\n {2}add sync +/) });
  const kick = await site.run("help kick");
  expect(kick.out).toMatch(
    /^bucardo kick SYNC \[SECONDS\]\.\.\. \[KEY=VALUE\.\.\.\]\n[^]*\nExit codes:\n {2}1 +A sync was not done in time\./,
  );
  expect(await site.run("kick --help")).toEqual(kick);
  expect((await site.run("kick --help", { program: "bucardo_ctl" })).out).toMatch(
    /^bucardo_ctl kick [^]*\n {2}bucardo_ctl kick pepper 0\n/,
  );
  expect((await site.run("help add tabel")).err).toContain('Did you mean "add table"?');
  expect(await site.run("help frobnicate")).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringContaining('There is no command "frobnicate"'),
  });
  expect(await site.run("--version")).toMatchObject({ code: 0, out: expect.stringMatching(/^bucardo version \d+\.\d+\.\d+\S*\n$/) });
  expect(await site.run("--quiet help")).toEqual({ code: 0, out: "", err: "" });
  for (const none of ["", "--verbose"])
    expect(await site.run(none)).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/^Usage: bucardo \[options\] VERB/) });
  // None of it needs the control database.
  for (const words of ["help", "--version"]) expect((await site.run(`${words} --dbport=1`)).code).toBe(0);
});

// proves: 6.1/inspect
test("inspect of every kind of object", async () => {
  expect(await site.ok("inspect table sale item")).toBe(
    "Table public.sale of A: 1 foreign keys\n  sale_shop_fkey refers to public.shop\nTable public.item of A: no foreign keys\n" +
      'Warning: public.shop, which public.sale refers to, is not in relgroup "auto"\n',
  );
  expect(await site.ok("inspect sequence ticket")).toBe(
    "Sequence public.ticket of A: bigint, start 1, step 5, from 1 to 9223372036854775807\n  relgroups: auto; syncs: auto\n",
  );
  expect(await site.ok("inspect sync auto")).toMatch(
    /^Source A: checkpoints for B\n {2}public\.sale {2}key: id {2}by statement {2}wakes the daemon: yes {2}deltas: \d+ kB on disk\n$/,
  );
  expect(await site.ok("inspect sync hand")).toContain("wakes the daemon: no");
  expect(await site.ok("inspect relgroup auto")).toBe(
    "Relgroup auto: 2 relations of A; syncs: auto\n  public.sale  key: id\n  public.ticket  sequence\n" +
      'Warning: public.shop, which public.sale refers to, is not in relgroup "auto"\n',
  );
  expect(await site.ok("inspect herd hand")).toBe("Relgroup hand: 1 relations of A; syncs: hand\n  public.item  key: id\n");
  expect(await site.ok("inspect dbgroup auto")).toBe(
    "Dbgroup auto: 2 databases; syncs: auto, hand\n  A  source: answers, PostgreSQL 15\n  B  target: answers, PostgreSQL 15\n",
  );
  const objects = await site.ok("inspect db A");
  expect(objects).toMatch(/^trigger \S+ on public\.sale$/m);
  expect(objects).toMatch(/^trigger \S+ on public\.item$/m);
  expect(await site.run("inspect sync nosuch")).toMatchObject({ code: 1, err: expect.stringContaining("nosuch") });
});

// proves: 6.1/clone
test("clone is refused with what to do in its place, whatever stands behind it", async () => {
  for (const words of ["clone", "clone sync=auto dbgroup=auto prime=1", "add clone x", "list clones"]) {
    const refused = await site.run(words);
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toMatch(/`clone` did nothing in older versions[^]*`bucardo update sync SYNC dbs=\.\.\.,NEW:target`/);
  }
});

// proves: 6.1/alter-sync
test("alter sync changes what update sync does", async () => {
  expect(await site.ok("alter sync hand checktime=90s onetimecopy=1")).toBe(
    'Changed sync "hand" checktime from none to 90 s\nChanged sync "hand" onetimecopy from 0 to 1\n',
  );
  const row = () => site.control.one("select checktime::text, onetimecopy, status from bucardo.sync where name = 'hand'");
  expect(await row()).toMatchObject({ checktime: "00:01:30", onetimecopy: 1 });
  expect(await site.ok("alter sync hand set checktime=none onetimecopy=0 status=inactive", { program: "bucardo_ctl" })).toContain(
    'Changed sync "hand" status from active to inactive\n',
  );
  expect(await row()).toEqual({ checktime: null, onetimecopy: 0, status: "inactive" });
  expect(await site.ok("alter sync hand active")).toBe('Changed sync "hand" status from inactive to active\n');
  expect(await site.run("alter sync nosuch ping=on")).toMatchObject({ code: 1, err: expect.stringContaining('"nosuch"') });
});

// proves: 6.1/kick-type, 6.4/notify-kick, 6.4/notify-others, 6.4/notify-out, 6.4/syncrun
test("kicks of version 4, and NOTIFY in both directions", async () => {
  const heard: string[] = [];
  const ear = await site.control.client();
  ear.on("notification", ({ channel, payload }) => heard.push(payload === "" ? channel : `${channel} ${payload ?? ""}`));
  const NAMES = [
    "boot",
    "started",
    "stopped",
    "nosyncs",
    "mcp_pong",
    "reload_config_finished",
    "reloaded_mcp",
    "syncerror_nosuch",
    "syncdone_hand",
    "synckill_hand",
    "activated_sync_hand",
    "deactivated_sync_hand",
    "reloaded_sync_hand",
  ];
  await ear.query(NAMES.map((name) => `listen bucardo_${name}`).join("; "));
  const told = (name: string) => waitFor(() => heard.includes(`bucardo_${name}`), { what: `bucardo_${name} (heard: ${heard.join(", ")})` });
  const asleep = () =>
    waitFor(
      () =>
        A()
          .query(
            "select from pg_locks where locktype = 'advisory' and (classid, objid) = (25205, 2) and granted and database = (select oid from pg_database where datname = current_database())",
          )
          .then(({ length }) => length === 1),
      { what: "the daemon to listen on A" },
    );
  const there = async (id: number) => (await B().query("select from item where id = $1", [id])).length === 1;
  const arrived = (id: number) => waitFor(() => there(id), { what: `row ${id} on B` });
  const lastKick = async () => (await site.control.one<{ id: number }>("select coalesce(max(id), 0)::int as id from bucardo.kick")).id;

  {
    await using _ = await startDaemon(site);
    for (const name of ["boot", "started", "activated_sync_hand"]) await told(name);

    // Of version 4: by the type of the sync.
    expect(await site.run("kick all copy")).toEqual({ code: 0, out: 'Cannot kick inactive sync "full"\n', err: "" });
    expect(await site.run("kick all copy active")).toEqual({ code: 0, out: "", err: "" });
    expect(await site.run("kick all swap active", { program: "bucardo_ctl" })).toEqual({ code: 0, out: "Kicked sync swapped\n", err: "" });
    expect((await site.ok("kick all delta active 0")).replaceAll(/\d+\.\d{3}/g, "T")).toBe(
      "Kick auto: [T s] DONE!\nKick hand: [T s] DONE!\n",
    );
    await told("syncdone_hand");

    // In: each way once, on the control database and on a source.
    await asleep();
    const ways: [typeof site.control, string][] = [
      [site.control, "notify bucardo, 'kick_sync_hand'"],
      [site.control, "notify bucardo_kick_sync_hand"],
      [A(), "notify bucardo, 'kick_sync_hand'"],
      [A(), "notify bucardo_kick_sync_hand"],
    ];
    for (const [index, [database, notify]] of ways.entries()) {
      await A().query("insert into item values ($1, 'kicked')", [index]);
      await database.query(notify);
      await arrived(index);
    }
    await site.control.query("notify bucardo, 'kick_sync_nosuch'");
    await told("syncerror_nosuch");

    // Everything else that a NOTIFY could ask of the Perl program is left alone; ping, which comes after it, is answered.
    for (const word of ["mcp_fullstop", "pause_sync_hand", "deactivate_sync_hand", "reload_sync_hand", "mcp_reload", "dead_db_A"])
      for (const database of [site.control, A()]) await database.query(`notify bucardo, '${word}'; notify bucardo_${word}`);
    expect(await site.run("ping 30")).toMatchObject({ code: 0, out: `OK: Got response from PID ${process.pid}\n` });
    await told("mcp_pong");
    expect(await site.control.query("select name, status, paused from bucardo.sync where name <> 'full' order by 1")).toEqual(
      ["auto", "hand", "swapped"].map((name) => ({ name, status: "active", paused: false })),
    );
    for (const unheard of ["stopped", "deactivated_sync_hand", "reloaded_mcp"]) expect(heard).not.toContain(`bucardo_${unheard}`);

    // Switched off.
    expect(await site.ok("set notify_kicks=off")).toBe('Set "notify_kicks" to "off"\n');
    expect(await site.ok("reload config 30")).toBe("Reloading configuration...DONE!\n");
    for (const name of ["reload_config_finished", "reloaded_mcp"]) await told(name);
    const before = await lastKick();
    await A().query("insert into item values (100, 'waits')");
    for (const [database, notify] of ways) await database.query(notify);
    await site.ok("ping 30");
    expect(await lastKick()).toBe(before);
    expect(await there(100)).toBe(false);

    // Out.
    expect(await site.ok("reload sync hand")).toBe("Reload of sync hand successful\n");
    await told("reloaded_sync_hand");
    await B().query("alter table item add constraint item_odd check (v <> 'odd')");
    await A().query("insert into item values (101, 'odd')");
    expect((await site.run("kick hand 0")).code).toBe(2);
    await told("synckill_hand");
    await B().query("alter table item drop constraint item_odd");
    await site.ok("kick hand 0");
    expect(await there(101)).toBe(true);
    await site.ok("deactivate hand 0");
    await told("deactivated_sync_hand");
    expect(heard).not.toContain("bucardo_nosyncs");
    await site.ok("deactivate all 0");
    await told("nosyncs");
    expect(heard).not.toContain("bucardo_stopped");
  }
  await told("stopped");
  expect(heard.filter((each) => each.includes(" "))).toEqual([]);
  await ear.query("unlisten *");

  const history = await site.control.query(
    "select sync, target, inserts, deletes, truncates, conflicts, status, details, lastgood, lastbad, ended >= started as ended from bucardo.syncrun where sync = 'hand' and status <> 'Empty' order by started",
  );
  const good = {
    sync: "hand",
    target: "B",
    deletes: "0",
    truncates: "0",
    conflicts: "0",
    status: "Good",
    details: null,
    lastbad: false,
    ended: true,
  };
  expect(history.filter(({ status }) => status === "Good")).toEqual([
    ...[1, 1, 1, 1].map((rows) => ({ ...good, inserts: String(rows), lastgood: false })),
    { ...good, inserts: "2", lastgood: true },
  ]);
  expect(history.filter(({ lastbad }) => lastbad)).toMatchObject([
    { status: "Bad", inserts: "0", lastgood: false, details: expect.stringContaining("item_odd") },
  ]);
  for (const sync of ["auto", "hand", "swapped"]) await site.ok(`activate ${sync}`);
});

// proves: 6.1/status-format
test("status: sorted, in narrow columns, with days, separators and patterns for times, without old runs", async () => {
  const last = "(select max(r.id) from bucardo.run r join bucardo.sync s on s.id = r.sync where s.name = $1 and r.outcome <> 'bad')";
  await site.control.query(
    `update bucardo.run set outcome = 'good', upserted = 1234567, deleted = 2000, truncates = 0, started_at = now() - interval '27 h 3 min', ended_at = now() where id = ${last}`,
    ["hand"],
  );
  const old = `select id from bucardo.run where sync = (select id from bucardo.sync where name = $1)`;
  await site.control.query(
    `update bucardo.run set outcome = 'good', upserted = 10, deleted = 9, truncates = 0, started_at = now() - interval '3 days 1.5 s', ended_at = now() - interval '3 days' where id in (${old})`,
    ["auto"],
  );
  const env = { BUCARDO_SHORTDATEFORMAT: '"today at" HH24"h"', BUCARDO_DATEFORMAT: '"on a day of" YYYY' };
  const table = async (options = "", more: NodeJS.ProcessEnv = env): Promise<Record<string, string[]>> => {
    const lines = (await site.ok(`status ${options}`, { env: more })).split("\n").filter((one) => one.includes("|"));
    return Object.fromEntries(lines.map((one) => one.split("|").map((cell) => cell.trim())).map(([name = "", ...cells]) => [name, cells]));
  };

  const plain = await table();
  expect(Object.keys(plain)).toEqual(["auto", "full", "hand", "swapped"]);
  expect(plain["hand"]?.slice(0, 4)).toEqual(["Off", expect.stringMatching(/^today at \d\dh$/), "27 h 3 min", "1234567/2000"]);
  expect(plain["auto"]?.slice(1, 4)).toEqual([expect.stringMatching(/^on a day of \d{4}$/), "1.500 s", "10/9"]);
  expect(plain["full"]?.slice(1, 5)).toEqual(["none", "", "", "none"]);
  expect((await table("", {}))["auto"]?.[1]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d$/);
  expect((await table("", {}))["hand"]?.[1]).toMatch(/^\d\d:\d\d:\d\d\.\d{3}$/);

  expect((await table("--show-days"))["hand"]?.[2]).toBe("1 d 3 h 3 min");
  expect((await table("--tsep=,"))["hand"]?.[3]).toBe("1,234,567/2,000");
  expect((await table("--tsep=."))["hand"]?.[3]).toBe("1.234.567/2.000");
  const narrow = await site.ok("status --compress", { env });
  expect(narrow).toMatch(/^ hand +\|Off *\|todayat\d\dh *\|27h3min *\|1234567\/2000 *\|/m);
  expect(await site.ok("status hand --show-days --tsep=.", { env })).toMatch(
    /Last good +: today at \d\dh \(time to run: 1 d 3 h 3 min\)\nRows deleted\/upserted +: 2\.000 \/ 1\.234\.567\n/,
  );

  expect(Object.keys(await table("--sort=-1"))).toEqual(["swapped", "hand", "full", "auto"]);
  const byRows = Object.keys(await table("--sort=5"));
  expect(byRows.indexOf("auto")).toBeLessThan(byRows.indexOf("hand"));
  expect(Object.keys(await table("--sort=-5"))[0]).toBe("hand");
  expect((await table("--daysback=2"))["auto"]?.slice(1, 4)).toEqual(["none", "", ""]);
  expect((await table("--daysback=2"))["hand"]).toEqual(plain["hand"]);
  expect((await table("--daysback=4"))["auto"]).toEqual(plain["auto"]);
  expect(await site.run("status --sort=many")).toMatchObject({ code: 1, out: "" });
});
