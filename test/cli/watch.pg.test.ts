import { PassThrough, Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { main } from "../../src/cli/main.ts";
import { waitFor } from "../harness/wait.ts";
import { startDaemon } from "./daemon.ts";
import { openSite, type Site } from "./site.ts";

let site: Site;
beforeAll(async () => {
  site = await openSite({ majors: [18, 18], schema: "create table t (id int primary key)" });
  await site.ok("add db A $A");
  await site.ok("add db B $B");
  await site.ok("add sync pepper tables=t dbs=A:source,B:target");
});
afterAll(() => site[Symbol.asyncDispose]());

/** The program watching, in a window or in a pipe, until it is told to stop. */
function watch(argv: readonly string[], window?: { readonly columns: number; readonly rows: number }) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  let text = "";
  stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
  let errors = "";
  stderr.setEncoding("utf8").on("data", (part: string) => (errors += part));
  const ending = new AbortController();
  const terminal = Object.assign(stdout, window === undefined ? {} : { isTTY: true, ...window });
  const code = main({
    program: "bucardo",
    argv: ["watch", ...argv],
    stdin: Object.assign(Readable.from([]), { isTTY: false }),
    stdout: terminal,
    stderr,
    env: { HOME: site.home, LANG: "en_GB.UTF-8", NO_COLOR: "1" },
    cwd: site.home,
    signal: ending.signal,
  });
  return {
    terminal,
    text: () => text,
    async shows(pattern: RegExp) {
      await waitFor(() => pattern.test(text), { what: `watch to show ${pattern}` }).catch((error: unknown) => {
        throw new Error(`it showed:\n${text}${errors}`, { cause: error });
      });
    },
    clear: () => (text = ""),
    async end() {
      ending.abort(new Error("Ctrl-C"));
      expect(await code, errors).toBe(0);
      return text;
    },
  };
}

function hasControls(text: string): boolean {
  return Array.from(text).some((letter) => letter < " " || letter === "\u007f");
}

test("--json: a line per change, until it is interrupted", async () => {
  const seen = watch(["--json", "--every", "0.1"]);
  await seen.shows(/"event":"daemon","alive":false/);
  {
    await using daemon = await startDaemon(site);
    void daemon;
    await seen.shows(/"event":"daemon","alive":true/);
    await site.databases[0]!.query("insert into t values (1)");
    await seen.shows(/"sync":"pepper","state":"Good","deltas":0.*"rows":1,"good":true/);
    await site.ok("pause pepper");
    await seen.shows(/"state":"Paused"/);
    await site.ok("resume pepper");
  }
  await seen.shows(/"alive":false[^]*"alive":true[^]*"alive":false/);
  const lines = (await seen.end()).trimEnd().split("\n");
  const events = lines.map((line) => JSON.parse(line) as { event: string; at: string });
  expect(new Set(events.map(({ event }) => event))).toEqual(new Set(["daemon", "sync"]));
  for (const [index, line] of lines.entries())
    expect(line.replace(/"at":"[^"]*",/, "")).not.toBe(lines[index - 1]?.replace(/"at":"[^"]*",/, ""));
});

test("in a window: drawn in place, again at another size, after the control database was away, and gone without a trace", async () => {
  const seen = watch(["--every", "0.1"], { columns: 120, rows: 30 });
  await seen.shows(/not running|never started/);
  await seen.shows(/SYNC +WAY +STATE/);
  expect(seen.text().startsWith("\u001b[?1049h\u001b[?25l")).toBe(true);

  Object.assign(seen.terminal, { columns: 48 });
  seen.clear();
  seen.terminal.emit("resize");
  await seen.shows(/SYNC +STATE/);
  expect(seen.text()).not.toContain("WAY");

  // From a neighbour on the same server: nobody can connect to the control database for a while.
  const neighbour = site.databases[1]!;
  await neighbour.query(`alter database ${site.control.name} with allow_connections false`);
  await neighbour.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${site.control.name}' and application_name = 'bucardo'`,
  );
  await seen.shows(/trying again/);
  await neighbour.query(`alter database ${site.control.name} with allow_connections true`);
  seen.clear();
  await seen.shows(/SYNC[^]*pepper/);
  await waitFor(
    async () => {
      seen.clear();
      await seen.shows(/not running|never started/);
      return !seen.text().includes("trying again");
    },
    { what: "the trouble to be over" },
  );
  expect((await seen.end()).endsWith("\u001b[?25h\u001b[?1049l")).toBe(true);
});

test("in a pipe: a line per change of state, without a single control character", async () => {
  const seen = watch(["pepper", "--every", "0.1"]);
  await seen.shows(/the daemon is not running\n.* pepper: Off\n/);
  await site.ok("deactivate pepper");
  await seen.shows(/pepper: Inactive\n/);
  await site.ok("activate pepper");
  expect((await seen.end()).split("\n").some(hasControls)).toBe(false);
});

test("what is wrong at the start is an error; status --modern is the same picture, once", async () => {
  expect(await site.run("watch nobody")).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringContaining('Unknown sync: "nobody"') as string,
  });
  const modern = await site.ok("status --modern");
  expect(modern).toMatch(/^Bucardo \S+ +\d\d:\d\d:\d\d\n! [^]*(not running|never started)[^]*\n {2}SYNC +WAY +STATE/);
  // The old form is what scripts read.
  expect(await site.ok("status")).toMatch(/ Name +State +Last good/);
});
