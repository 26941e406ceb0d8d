import { createHmac } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";
import { line } from "../cli/line.ts";
import { keysOf, openHome, split, type Home } from "../e2e/home.ts";
import { httpSink, smtpSink } from "./sink.ts";

/** One daemon whose alerts go to a mail server and to a webhook of ours; each test goes on where the one before it ended. */
let home: Home;
let A: TestDatabase, B: TestDatabase, C: TestDatabase;
let mail: Awaited<ReturnType<typeof smtpSink>>;
let hook: Awaited<ReturnType<typeof httpSink>>;
const opened: AsyncDisposable[] = [];
const keep = <T extends AsyncDisposable>(one: T): T => (opened.unshift(one), one);

/** The same program without a process of its own, which is quicker. */
const run = async (command: string) => {
  const { code, out, err } = await line(split(command), { home: home.path });
  return { code, stdout: out, stderr: err };
};
const ok = async (command: string): Promise<string> => {
  const { code, stdout, stderr } = await run(command);
  expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: "" });
  return stdout;
};

type Told = {
  text: string;
  event: { word: string } | null;
  raised: { id: number; kind: string; grade: string; sync: string; target: string; what: string; advice: string }[];
  over: { id: number; kind: string }[];
};
const told = (): Told[] => hook.posts.map(({ body }) => JSON.parse(body) as Told);
const raised = (kind: string): Told["raised"] => told().flatMap((one) => one.raised.filter((alert) => alert.kind === kind));
const over = (kind: string): Told["over"] => told().flatMap((one) => one.over.filter((alert) => alert.kind === kind));
const until = (condition: () => unknown, what: string) => waitFor(condition, { what, timeoutMs: 30_000 });

beforeAll(async () => {
  [mail, hook] = [keep(await smtpSink()), keep(await httpSink([503, 200]))];
  const server = await sharedServer(16);
  const fresh = async (): Promise<TestDatabase> => keep(await createDatabase(server));
  const control = await fresh();
  [A, B, C] = [await fresh(), await fresh(), await fresh()];
  for (const database of [A, B, C]) await database.query("create table item (id int primary key, v text)");
  home = keep(await openHome(control));
  await home.ok("install --batch");
  for (const [name, database] of Object.entries({ A, B, C })) await ok(`add db ${name} ${keysOf(database)}`);
  await ok("add sync s tables=item dbs=A:source,B:target,C:target");
  for (const database of [B, C]) await database.query("alter table item add constraint item_v_check check (v <> 'odd')");
  await home.ok(
    `set alert_interval='100 ms' alert_pause='200 ms' alert_settle='300 ms' alert_after='200 ms' lag_interval='100 ms' purge_interval='100 ms' default_email_host=127.0.0.1 ` +
      `default_email_port=${mail.port} default_email_to=one@example.com,two@example.com default_email_from=bucardo@example.com ` +
      `alert_webhook=${hook.url} alert_webhook_secret=geheim stats_script_url=http://stats.example.com`,
  );
}, 120_000);

afterAll(async () => {
  await home.run("stop").catch(() => undefined);
  for (const one of opened) await one[Symbol.asyncDispose]();
});

// proves: 6.1/webhook, 6.1/settings
test("a secret is stored sealed and shown nowhere; `alert test` tries both ways, and again where the receiver asks for it", async () => {
  const shown = await ok("show all");
  expect(shown).toMatch(/alert_webhook +[= ]+\(sealed\)\n/);
  for (const text of [shown, await ok("show all --json"), await ok("show alert_ --json")]) expect(text).not.toMatch(/geheim|\/hook/);
  expect(await ok("alert test")).toBe("Sent by mail\nSent by webhook\n");
  expect(hook.posts).toHaveLength(2);
  const { headers, body } = hook.posts[1]!;
  const signed = createHmac("sha256", "geheim")
    .update(`${String(headers["x-bucardo-timestamp"])}.${body}`)
    .digest("hex");
  expect(headers).toMatchObject({ "content-type": "application/json", "x-bucardo-signature": `sha256=${signed}` });
  expect(mail.letters).toMatchObject([{ from: "bucardo@example.com", to: ["one@example.com", "two@example.com"] }]);
  expect(mail.letters[0]?.data).toMatch(/^Subject: Bucardo on .*: test$/m);
  expect(mail.letters[0]?.data).toContain("http://stats.example.com");
});

// proves: 6.1/sendmail, 6.1/webhook
test("a start is told; a sync that fails again and again is one message to each, and one when it is over", async () => {
  await home.ok("start");
  await until(() => told().some(({ event }) => event?.word === "started"), "the start to be told");
  await A.query("insert into item values (1, 'odd'), (2, 'fine')");
  await until(() => raised("failed").length === 2, "both targets to be told of");
  expect(new Set(raised("failed").map(({ grade, sync, target }) => `${grade} ${sync} ${target}`))).toEqual(
    new Set(["critical s B", "critical s C"]),
  );
  expect(raised("failed")[0]?.what).toContain("item_v_check");
  expect(JSON.stringify(told())).not.toContain("odd");
  for (let times = 0; times < 3; times += 1) expect((await run("kick s 0")).code).toBe(2);
  await until(() => mail.letters.some(({ data }) => data.includes("CRITICAL: sync s, target C")), "the mail");
  expect(raised("failed")).toHaveLength(2);
  expect(await ok("list alerts")).toMatch(/critical: sync s, target [BC]: stopped\./);
  for (const database of [B, C]) await database.query("alter table item drop constraint item_v_check");
  await ok("kick s 0");
  await until(() => over("failed").length === 2, "both to be told as over");
  await until(() => mail.letters.some(({ data }) => data.includes("OVER: sync s, target B")), "the mail that it is over");
  const ids = raised("failed").map(({ id }) => id);
  expect(new Set(over("failed").map(({ id }) => id))).toEqual(new Set(ids));
  expect(raised("failed")).toHaveLength(2);
  expect(await ok("list alerts -v")).toMatch(/over: sync s[^]*told: mail, webhook/);
});

// proves: 6.2/overdue-expired, 6.2/sync-settings, 6.3/monitoring
test("lag, overdue and expired, by the thresholds of the sync; `check` says the same by its exit code", async () => {
  expect(await run("check")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^BUCARDO OK: 1 sync, 2 targets.* \| 's\.B\.lag'=\d+s;900;;0 /),
  });
  const blocker = await B.client();
  await blocker.query("begin; lock table item in access exclusive mode");
  await A.query("insert into item values (3, 'waits')");
  await ok("set sync=s alert_lag='500 ms' overdue='700 ms'");
  await until(() => raised("lag").some(({ target }) => target === "B"), "the lag of B to be told");
  await until(() => raised("overdue").some(({ target }) => target === "B"), "B to be overdue");
  const warned = await run("check s");
  expect(warned).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^BUCARDO WARNING: .*target B: .*overdue.* \| .*'s\.B\.age'=\d+s;0\.7;;0/),
  });
  expect(await ok("update sync s expired='800 ms'")).toBe('Changed sync "s" expired from default to 800 ms\n');
  expect(JSON.parse((await run("check s --json")).stdout)).toMatchObject({
    state: "CRITICAL",
    problems: expect.arrayContaining([{ grade: "critical", what: expect.stringContaining("expired"), advice: expect.any(String) }]),
  });
  expect(await run("check s")).toMatchObject({ code: 2 });
  await until(() => raised("expired").some(({ target }) => target === "B"), "B to have expired");
  await blocker.query("rollback");
  await until(() => over("expired").length >= 1 && over("lag").length >= 1, "all to be over");
  expect(await ok("set sync=s alert_lag=default overdue=default expired=default")).toContain('Sync "s": overdue is back to its default');
  await until(async () => (await run("check")).code === 0, "check to be content");
  expect(await run("set sync=s purge_interval=5")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("no setting of a single sync"),
  });
  expect(raised("lag").every(({ sync }) => sync === "s")).toBe(true);
});

test("deltas that take a source's disk, and rows that are set aside", async () => {
  await ok("set alert_delta_disk=1");
  const blocker = await B.client();
  await blocker.query("begin; lock table item in access exclusive mode");
  await A.query("insert into item select n, 'many' from generate_series(100, 3000) n");
  await until(() => raised("delta-disk").length === 1, "the disk to be told of");
  await blocker.query("rollback");
  await ok("set alert_delta_disk=none");
  await until(() => over("delta-disk").length === 1, "the disk to be fine again");
  await ok("update sync s on_error=set_aside");
  await ok("reload config 30");
  await C.query("alter table item add check (id > 0)");
  await A.query("insert into item values (-1, 'refused')");
  await until(() => raised("set-aside").some(({ target }) => target === "C"), "the row to be told of");
});

// proves: 6.1/webhook, 6.3/conflict-log
test("conflicts of two sources: one message when there are as many as the threshold of the sync says, without any value of the rows", async () => {
  for (const database of [A, B]) await database.query("create table note (id int primary key, v text)");
  await ok("add sync pair tables=note dbs=A:source,B:source autokick=0");
  await ok("set sync=pair alert_conflicts=2");
  await A.query("insert into note values (1, 'first'), (2, 'first')");
  await ok("kick pair 0");
  const conflictOver = async (id: number): Promise<void> => {
    await A.query("update note set v = 'GEHEIM of A' where id = $1", [id]);
    await B.query("update note set v = 'GEHEIM of B' where id = $1", [id]);
    await ok("kick pair 0");
  };
  await conflictOver(1);
  expect(await ok("list conflicts pair")).toContain("(id=1)");
  await conflictOver(2);
  await until(() => raised("conflicts").length > 0, "the conflicts to be told of");
  const warning = "sync pair: 2 conflicts or more within an hour";
  expect(raised("conflicts")).toMatchObject([{ grade: "warning", sync: "pair", target: null, what: warning, advice: expect.any(String) }]);
  await until(() => mail.letters.some(({ data }) => data.includes(`WARNING: ${warning}`)), "the mail");
  expect(await run("check pair")).toMatchObject({ code: 1, stdout: expect.stringContaining(warning) });
  expect(JSON.stringify([told(), mail.letters])).not.toContain("GEHEIM");
  await ok("set sync=pair alert_conflicts=0");
  await until(() => over("conflicts").length === 1, "no number of them to be a problem any more");
  expect(raised("conflicts")).toHaveLength(1);
  await ok("remove sync pair");
});

// proves: 6.1/webhook
test("what could not be told is told later; a stop is told; without a daemon `check` is critical, without a control database unknown", async () => {
  await ok("set alert_webhook=http://127.0.0.1:9/nobody");
  await ok("reload config 30");
  await A.query("insert into item values (-2, 'refused')");
  await C.query("alter table item rename to elsewhere");
  await A.query("insert into item values (4000, 'lost')");
  await until(async () => (await ok("list alerts")).includes("critical: sync s, target C"), "the new problem to be noted");
  const before = raised("failed").length;
  await ok(`set alert_webhook=${hook.url}`);
  await until(() => raised("failed").length > before, "it to be told after all");
  await home.ok("stop enough");
  await until(() => told().some(({ event }) => event?.word === "stopped"), "the stop to be told");
  await ok("set sendmail=off");
  expect(await run("check")).toMatchObject({ code: 2, stdout: expect.stringMatching(/^BUCARDO CRITICAL: no daemon runs; .*\n$/) });
  expect(await run("check --dbport=1")).toMatchObject({ code: 3, stdout: expect.stringMatching(/^BUCARDO UNKNOWN: .*\n$/) });
});

// proves: 6.1/sendmail
test("mail by a sendmail program, a copy in a file, and the address that means nobody", async () => {
  const program = join(home.path, "sendmail");
  await writeFile(program, `#!/bin/sh\necho "$@" > ${home.path}/arguments\ncat > ${home.path}/letter\n`, { mode: 0o755 });
  await ok(`set sendmail=on email_program=${program} alert_webhook= email_debug_file=${home.path}/copies`);
  expect(await ok("alert test")).toBe("Sent by mail\n");
  expect(await readFile(join(home.path, "letter"), "utf8")).toMatch(/^To: one@example\.com, two@example\.com$/m);
  expect(await readFile(join(home.path, "copies"), "utf8")).toContain("This is a test");
  await ok("set default_email_to=nobody@example.com");
  expect(await run("alert test")).toMatchObject({ code: 1, stderr: expect.stringContaining("Alerts go nowhere") });
});
