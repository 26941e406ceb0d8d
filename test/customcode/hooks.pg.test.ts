import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { onPoint } from "../../src/base/point.ts";
import { BucardoError } from "../../src/model/error.ts";
import { smtpSink } from "../alert/sink.ts";
import { logged, openCodeSite, type CodeSite } from "./site.ts";

const SCHEMA = "create table item (id integer primary key, name text); create table trace (n serial, what text)";
const POINTS = [
  "before_sync",
  "before_txn",
  "before_check_rows",
  "before_trigger_disable",
  "after_trigger_disable",
  "after_table_sync",
  "before_trigger_enable",
  "after_trigger_enable",
  "after_txn",
  "after_sync",
];

let site: CodeSite;
let next = 0;

beforeAll(async () => {
  site = await openCodeSite({ majors: [15, 15], schema: SCHEMA }, "tables=item dbs=A:source,B:target");
});
afterAll(() => site[Symbol.asyncDispose]());
beforeEach(async () => {
  await site.forget();
  for (const database of site.databases) await database.query("truncate trace");
});

const source = () => site.databases[0]!;
const target = () => site.databases[1]!;

/** A row that waits on the source; its id. */
async function change(): Promise<number> {
  await source().query("insert into item values ($1, 'x')", [++next]);
  return next;
}

async function arrived(id: number): Promise<boolean> {
  return (await target().query("select from item where id = $1", [id])).length === 1;
}

async function trace(): Promise<string[]> {
  return (await target().query<{ what: string }>("select what from trace order by n")).map(({ what }) => what);
}

const tracing = (what: string) =>
  `export default async ({ dbh }) => { await dbh.B.execute("insert into trace (what) values ($1)", [${what}]); };`;

describe("points of a run", () => {
  // proves: 6.2/customcode
  test("all are called, in order, with what they are told; JavaScript, TypeScript and SQL", async () => {
    const text = `
      export default async (input) => {
        const { whenrun, syncname, sourcename, targetname, version, schemaname, tablename, rows, shared, dbh } = input;
        shared.calls = (shared.calls ?? 0) + 1;
        const count = rows.public?.item?.upserted ?? 0;
        const table = schemaname ? schemaname + "." + tablename : "-";
        await dbh.B.execute("insert into trace (what) values ($1)", [[whenrun, syncname, sourcename, targetname, version, table, count, shared.calls].join(" ")]);
        input.message = "seen " + whenrun;
      };`;
    await site.write("point.js", text);
    for (const point of POINTS)
      await site.ok(`add customcode at_${point} whenrun=${point.replace("_disable", "_drop")} src_code=point.js sync=s`);
    await site.write(
      "typed.ts",
      `type Row = { n: number };\nexport default async ({ dbh }: { dbh: any }): Promise<void> => {
      const row = (await dbh.A.one("select count(*) as n from item")) as Row;
      await dbh.B.execute("insert into trace (what) values ($1)", ["typed " + (typeof row.n satisfies string)]);
    };`,
    );
    await site.ok("add customcode typed whenrun=before_trigger_enable src_code=typed.ts sync=s priority=5");
    await site.add(
      "plain",
      "after_trigger_enable",
      "insert into trace (what) values ('sql; 1'); -- one\ninsert into trace (what) select 'sql 2';",
      "sync=s db=B priority=-1",
    );
    const id = await change();
    expect(await site.kick()).toMatchObject({ code: 0 });
    expect(await arrived(id)).toBe(true);
    const told = (point: string, table: string, rows: number, calls: number) => `${point} s A B test ${table} ${rows} ${calls}`;
    expect(await trace()).toEqual([
      told("before_sync", "-", 0, 1),
      told("before_txn", "-", 0, 2),
      told("before_check_rows", "-", 0, 3),
      told("before_trigger_disable", "-", 0, 4),
      told("after_trigger_disable", "-", 0, 5),
      told("after_table_sync", "public.item", 1, 6),
      told("before_trigger_enable", "-", 1, 7),
      "typed number",
      "sql; 1",
      "sql 2",
      told("after_trigger_enable", "-", 1, 8),
      told("after_txn", "-", 1, 9),
      told("after_sync", "-", 1, 10),
    ]);
    await logged(site, /Message from after_sync code "at_after_sync": seen after_sync/);
  });

  // proves: 6.2/customcode
  test("priority, lastcode, status and getdbh; code of a table of another sync is not called", async () => {
    await site.add("third", "before_txn", tracing("'third'"), "sync=s priority=3");
    await site.add("first", "before_txn", tracing("'first'"), "sync=s priority=1");
    await site.add("second", "before_txn", tracing("'second'").replace("; };", "; return { lastcode: true }; };"), "sync=s priority=2");
    await site.add("off", "after_txn", tracing("'off'"), "sync=s status=inactive");
    await site.add("blind", "after_txn", "export default ({ dbh }) => ({ message: 'handles: ' + typeof dbh });", "sync=s getdbh=0");
    await site.add("elsewhere", "before_txn", tracing("'elsewhere'"), "");
    await site.kick();
    expect(await trace()).toEqual(["first", "second"]);
    await logged(site, /handles: undefined/);
    expect(await site.ok("list customcode -v")).toMatch(/Code: elsewhere .*\n {2}Syncs: none {2}Tables: none/);
    await site.ok("update customcode off active");
    await site.ok("update customcode elsewhere table=item priority=0");
    await site.ok("update customcode second active=off sync=s");
    await target().query("truncate trace");
    await site.kick();
    expect(await trace()).toEqual(["elsewhere", "first", "third", "off"]);
    await site.ok("remove code off elsewhere");
    expect(await site.ok("list customcodes")).not.toContain("elsewhere");
  });

  test("endsync: nothing of the run stays, and nothing is wrong; redo: it begins again", async () => {
    const id = await change();
    await site.add("end", "before_trigger_enable", tracing("'gone'").replace("; };", "; return { endsync: true }; };"));
    expect(await site.kick()).toMatchObject({ code: 0 });
    expect(await arrived(id)).toBe(false);
    expect(await trace()).toEqual([]);
    await site.forget();
    const text =
      "export default ({ shared }) => { shared.n = (shared.n ?? 0) + 1; return shared.n < 3 ? { redo: true } : { message: 'times: ' + shared.n }; };";
    await site.add("again", "before_sync", text);
    expect(await site.kick()).toMatchObject({ code: 0 });
    await logged(site, /times: 3/);
    expect(await arrived(id)).toBe(true);
  });
});

test("what code did on the target is not done again when the run ended between the target's commit and its settling", async () => {
  await site.add("counts", "before_trigger_enable", tracing("'once'"));
  const id = await change();
  let met = 0;
  {
    using _fault = onPoint((point) => {
      if (point === "replicate.target-committed" && met++ === 0) throw new BucardoError("connection-lost", "as if the source were gone");
    });
    expect(await site.kick()).toMatchObject({ code: 0 });
  }
  expect(met).toBeGreaterThan(1);
  expect(await arrived(id)).toBe(true);
  expect(await trace()).toEqual(["once"]);
});

describe("limits", () => {
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ["transaction control", "await dbh.B.execute('commit')", /COMMIT is not allowed within a run/],
    ["a mistake in its SQL", "await dbh.B.query('select * from nowhere')", /nowhere/],
    ["an endless loop", "for (;;);", /took longer than 1 s and was killed/],
    ["a statement that never ends", "await dbh.B.query('select pg_sleep(1000)')", /took longer than 1 s and was killed/],
  ];

  test("whatever code does wrong ends the run with its name, nothing of the run stays, and the sync goes on when the code is mended", async () => {
    await site.write("good.js", "export default () => {};");
    await site.ok("add customcode bad whenrun=before_trigger_enable src_code=good.js sync=s");
    for (const [what, body, said] of refused) {
      const id = await change();
      await site.write("bad.js", `export default async ({ dbh }) => { ${body} };`);
      await site.ok(`set customcode_timeout=${said.source.includes("longer") ? 1 : 60}`);
      await site.ok("update customcode bad src_code=bad.js");
      const { code, text } = await site.kick();
      expect(text, what).toMatch(said);
      expect(text, what).toContain('ustom code "bad"');
      expect(code, what).toBe(2);
      expect(await arrived(id), what).toBe(false);
    }
    await site.ok("set customcode_timeout=60");
    await site.ok("update customcode bad src_code=good.js");
    expect(await site.kick()).toMatchObject({ code: 0 });
    expect(await arrived(next)).toBe(true);
  });

  test("code sees no environment, no files and no programs; after a statement that failed it may go on", async () => {
    const text = `
      export default async (input) => {
        const [fs, child] = [await import("node:fs"), await import("node:child_process")];
        const tried = [() => fs.readFileSync("/etc/hostname"), () => fs.writeFileSync("/tmp/never", ""), () => child.execSync("true")].map((attempt) => {
          try { attempt(); return "done"; } catch (error) { return error.code; }
        });
        const failed = await input.dbh.B.query("select 1 / 0").catch((error) => error.code);
        const { n, big, at } = await input.dbh.B.one("select 1::bigint as n, 9007199254740993::bigint as big, '2026-01-02 03:04:05.123456+00'::timestamptz as at");
        input.message = ["sees", Object.keys(process.env).length, ...tried, failed, n, typeof big, big, at].join(" ");
      };`;
    await site.add("looks", "before_check_rows", text);
    expect(await site.kick()).toMatchObject({ code: 0 });
    const denied = "ERR_ACCESS_DENIED";
    await logged(
      site,
      new RegExp(`sees 0 ${denied} ${denied} ${denied} 22012 1 bigint 9007199254740993 2026-01-02 03:04:05\\.123456\\+00`),
    );
  });

  test("before_txn and after_txn may do anything, on sessions of their own", async () => {
    const text = `
      export default async ({ dbh, whenrun }) => {
        await dbh.B.execute("begin");
        await dbh.B.execute("create table made_" + whenrun + " (a integer)");
        await dbh.B.execute(whenrun === "before_txn" ? "commit" : "rollback");
      };`;
    await site.add("makes", "before_txn", text);
    await site.add("unmakes", "after_txn", text);
    expect(await site.kick()).toMatchObject({ code: 0 });
    expect(await target().query("select relname from pg_class where relname like 'made_%'")).toEqual([{ relname: "made_before_txn" }]);
    await target().query("drop table made_before_txn");
  });
});

test("what is no code that can run is refused when it is added, with the line", async () => {
  const refusals: readonly (readonly [string, string, string, RegExp])[] = [
    ["perl.pl", "my ($x) = @_;\nreturn;", "before_sync", /Perl is not run here/],
    ["half.js", "export default async () => {\n  const = 3;\n};", "before_sync", /half\.js, line 2/],
    ["none.js", "export const x = 1;", "before_sync", /no default export/],
    ["enum.ts", "enum A { b }\nexport default () => {};", "before_sync", /enum/],
    ["commit.sql", "insert into trace (what) values ('x'); commit;", "after_table_sync", /COMMIT is not allowed/],
    ["conflict.sql", "select 1", "conflict", /SQL cannot decide/],
  ];
  for (const [file, text, whenrun, said] of refusals) {
    await site.write(file, text);
    const { code, err } = await site.run(`add customcode x whenrun=${whenrun} src_code=${file} sync=s`);
    expect(err, file).toMatch(said);
    expect(code, file).toBe(2);
  }
  expect(await site.run("add customcode x whenrun=before_sync src_code=nowhere.js")).toMatchObject({ code: 2 });
  expect((await site.run("add customcode x whenrun=sometimes src_code=none.js")).err).toContain("before_sync");
});

// proves: 6.2/customcode
test("sendmail sends by the way of alerts, no more than the limit; no run fails by a mail", async () => {
  await using server = await smtpSink();
  // What is wrong with the sync may be mailed as well.
  const mails = () => server.letters.filter(({ data }) => /^Subject: told by code$/m.test(data));
  const text = `
    export default async ({ sendmail, sourcename }) => {
      const mail = { subject: "told by code", body: "rows of " + sourcename };
      const taken = [await sendmail(mail), await sendmail({ ...mail, to: "other@example.com", from: "code@example.com" }), await sendmail(mail)];
      const wrong = await sendmail({ subject: "two\\nlines", body: "" }).catch((error) => error.message);
      return { message: ["mails", ...taken, wrong].join(" ") };
    };`;
  await site.add("mails", "after_sync", text);
  await site.ok(
    `set default_email_host=127.0.0.1 default_email_port=${server.port} default_email_to=dba@example.com default_email_from=bucardo@example.com`,
  );
  await site.ok("set sync=s customcode_mails=2");
  expect(await site.kick()).toMatchObject({ code: 0 });
  await logged(site, /mails true true false sendmail takes \{ subject, body \}/);
  await logged(site, /asked for 2 mails within an hour/);
  expect(mails()).toMatchObject([
    { from: "bucardo@example.com", to: ["dba@example.com"] },
    { from: "code@example.com", to: ["other@example.com"] },
  ]);
  expect(mails()[0]?.data).toContain("rows of A");

  await site.ok("set sync=s customcode_mails=100");
  await site.ok("set sendmail=off");
  expect(await site.kick()).toMatchObject({ code: 0 });
  await logged(site, /mails false false false sendmail takes/);
  await site.ok("set sendmail=on default_email_port=1");
  expect(await site.kick()).toMatchObject({ code: 0 });
  await logged(site, /A mail of custom code could not be sent/);
  expect(mails()).toHaveLength(2);
  await site.ok("set default_email_to=nobody@example.com");
});
