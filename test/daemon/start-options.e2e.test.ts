import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { line } from "../cli/line.ts";
import { isAlive } from "../../src/daemon/pid-file.ts";
import { keysOf, openHome, rcText, split, type Home, type RunOptions } from "../e2e/home.ts";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import type { Finished } from "../harness/exec.ts";
import { programEnv } from "../harness/scratch.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";

/** What `start` can be told. One installation; each test starts a daemon of its own and leaves none. */
let home: Home;
let control: TestDatabase, A: TestDatabase, B: TestDatabase;
const opened: AsyncDisposable[] = [];
const keep = <T extends AsyncDisposable>(one: T): T => (opened.unshift(one), one);

/** The same program without a process of its own, which is quicker. */
const run = (command: string) => line(split(command), { home: home.path });
const ok = async (command: string): Promise<string> => {
  const { code, out, err } = await run(command);
  expect({ command, code, err }).toEqual({ command, code: 0, err: "" });
  return out;
};
const start = async (options: string, more: RunOptions = {}): Promise<Finished & { pid: number }> => {
  const started = await home.run(`start ${options}`, more);
  return { ...started, pid: Number(/^Bucardo is running, PID (\d+)$/m.exec(started.stdout)?.[1] ?? 0) };
};
const file = (...path: string[]): string => readFileSync(join(home.path, ...path), "utf8");
const gone = (pid: number): Promise<unknown> => waitFor(() => !isAlive({ pid, mark: "-" }), { what: `the daemon ${pid} to be gone` });
const rc = (...more: string[]): Promise<void> =>
  writeFile(join(home.path, ".bucardorc"), rcText(control, [`piddir=${join(home.path, "pid")}`, `logdest=${home.path}`, ...more]));

beforeAll(async () => {
  const server = await sharedServer(16);
  [control, A, B] = [keep(await createDatabase(server)), keep(await createDatabase(server)), keep(await createDatabase(server))];
  for (const database of [A, B]) await database.query("create table item (id int primary key, v text)");
  home = keep(await openHome(control));
  // Builds the program, when nobody has.
  await home.ok("install --batch");
  await ok(`add db A ${keysOf(A)}`);
  await ok(`add db B ${keysOf(B)}`);
  await ok("add sync pepper tables=item dbs=A:source,B:target autokick=false status=inactive");
}, 120_000);

afterAll(async () => {
  for (const one of opened) await one[Symbol.asyncDispose]();
});

// proves: 6.1/host-safety-check
test("host_safety_check: on another host start and restart are refused with exit code 2, and nothing is left behind", async () => {
  for (const rule of ["another.host", "=another.host,yet.another", "~^no-such-host$"]) {
    expect(await run(`set host_safety_check=${rule}`)).toMatchObject({ code: 0 });
    for (const verb of ["start", "restart"])
      expect(await run(verb), `${verb} where ${rule}`).toEqual({
        code: 2,
        out: expect.not.stringContaining("running, PID"),
        err: expect.stringContaining(`The setting host_safety_check is "${rule}", and this host is ${hostname()}\n`),
      });
  }
  expect(await home.run("daemon run")).toMatchObject({ code: 2, stderr: expect.stringContaining("The setting host_safety_check is") });
  expect((await run("status")).out).not.toContain("PID of Bucardo MCP");
  expect(readdirSync(join(home.path, "pid"))).not.toContain("bucardo.mcp.pid");
  // The next test starts one here by this rule.
  await ok(`set host_safety_check==another.host,${hostname()}`);
});

// proves: 6.1/extra-name, 6.1/quickstart, 6.1/exit-on-nosync, 6.1/stop-file, 6.1/log-syslog, 6.1/log-separate, 6.1/log-extension-clean, 6.1/log-form, 6.1/rcfile-settings
test("a start with every option: title, logs of every kind, no active sync; a stop file ends it", async () => {
  await using syslog = await openSyslog();
  const logs = join(home.path, "logs");
  await mkdir(logs);
  for (const old of ["log.bucardo.mon", "log.bucardo.mon.pepper", "log.bucardo.older", "log.bucardo", "kept"])
    writeFileSync(join(logs, old), "from before\n");
  await ok(
    "set log_level=error log_showlevel=on log_showpid=off log_showline=on log_showsyncname=off log_timer_format='at %Y/%j' syslog_facility=LOG_LOCAL3 warning_file=warnings",
  );
  await ok("set stopfile=of-the-database");
  // The rc file has the last word on settings, the line on options.
  await rc("log_level = verbose", "log_showpid : on", "stopfile=halt.here", "exit-on-nosync = on");
  expect(await ok("show stopfile")).toBe("stopfile = halt.here\n");
  expect(
    await ok(
      "show stopfile --no-bucardorc --dbport=" +
        String(control.server.port) +
        ` --dbhost=${control.server.host} --dbname=${control.name} --dbuser=postgres`,
    ),
  ).toBe("stopfile = of-the-database\n");

  // A table is gone: who checks tables at the start would not start.
  await B.query("alter table item rename to elsewhere");
  const { pid, ...started } = await start(
    `early shift --quickstart --no-exit-on-nosync --extra-name=nightshift --log-destination=${logs}/ --log-destination=syslog --log-separate --log-extension=mon --log-clean`,
    { env: { PATH: `${syslog.bin}:${process.env["PATH"] ?? ""}` } },
  );
  expect(started).toMatchObject({ code: 0, stderr: "", stdout: `Bucardo is running, PID ${pid}\nLog: ${logs}/log.bucardo.mon, syslog\n` });
  expect(readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim()).toBe("bucardo daemon nightshift");

  // It goes on without an active sync.
  expect(await ok("ping 30")).toContain(`PID ${pid}`);
  await control.query("update bucardo.sync set status = 'active'");
  await ok("reload config 30");
  await A.query("insert into item values (1, 'x')");
  expect(await run("kick pepper 60")).toMatchObject({ code: 2, out: expect.stringMatching(/KILLED![^]*do not fit together/) });
  await B.query("alter table elsewhere rename to item");
  await ok("kick pepper 0");
  await ok("message hello there");
  await waitFor(() => file("logs", "log.bucardo.mon").includes("hello there"), { what: "the message in the log" });

  await waitFor(() => file("logs", "log.bucardo.mon.pepper").includes("do not fit together"), { what: "the error in the log of the sync" });

  // Old logs went, what is none stayed.
  expect(readdirSync(logs).toSorted()).toEqual(["kept", "log.bucardo", "log.bucardo.mon", "log.bucardo.mon.pepper", "warnings"]);
  expect(file("logs", "log.bucardo")).toBe("from before\n");
  expect(file("logs", "log.bucardo.mon")).not.toContain("from before");

  // (pid) [time] #line LEVEL, without the name of the sync; by the rc file INFO is there, and the pid.
  const head = new RegExp(`^\\(${pid}\\) \\[at \\d{4}/\\d{3}\\] #[\\w-]+\\.js:\\d+ (DEBUG|INFO|WARN|ERROR) `);
  const common = file("logs", "log.bucardo.mon")
    .split("\n")
    .filter((one) => one !== "" && !one.startsWith("    "));
  expect(common.filter((one) => !head.test(one))).toEqual([]);
  expect(common.filter((one) => / (INFO|ERROR|WARN|DEBUG) pepper: /.test(one))).toEqual([]);
  expect(common.some((one) => / INFO MESSAGE \(.*\): hello there$/.test(one))).toBe(true);

  // The sync's own log has its lines and no others; warnings are in one file more.
  const own = file("logs", "log.bucardo.mon.pepper");
  expect(own).toMatch(/ ERROR [^\n]*do not fit together/);
  expect(own).not.toContain("hello there");
  expect(own.split("\n").filter((one) => one !== "" && !file("logs", "log.bucardo.mon").includes(one))).toEqual([]);
  expect(file("logs", "warnings")).toMatch(/ ERROR [^\n]*do not fit together/);
  expect(file("logs", "warnings")).not.toMatch(/ (INFO|DEBUG) /);

  // Syslog: facility local3 (19) times 8, plus the severity.
  await waitFor(() => syslog.heard.some((one) => one.includes("hello there")), { what: "the message in the syslog" });
  expect(syslog.heard.find((one) => one.includes("hello there"))).toMatch(new RegExp(`^<${19 * 8 + 6}>.* bucardo\\[${pid}\\]: .*MESSAGE`));
  await waitFor(() => syslog.heard.some((one) => one.startsWith(`<${19 * 8 + 3}>`)), { what: "the error in the syslog" });

  // Neither name of the stop file but that of the rc file.
  for (const name of ["of-the-database", "fullstopbucardo"]) await writeFile(join(home.path, "pid", name), "no\n");
  await ok("ping 30");
  await writeFile(join(home.path, "pid", "halt.here"), "by hand\n");
  await gone(pid);
  expect(file("logs", "log.bucardo.mon")).toMatch(/ INFO Stopping: the stop file is there\.[^]* INFO Stopped\.\n$/);
  expect(await run("ping 0")).toMatchObject({ code: 1 });
  expect(readdirSync(join(home.path, "pid"))).not.toContain("bucardo.mcp.pid");
});

// proves: 6.1/exit-on-nosync, 6.1/log-structured, 6.1/stop-file
test("--exit-on-nosync: it runs while a sync is active, ends with the last one; its log is JSON", async () => {
  await rc();
  for (const name of [
    "log_level",
    "log_showlevel",
    "log_showpid",
    "log_showline",
    "log_showsyncname",
    "log_timer_format",
    "stopfile",
    "warning_file",
  ])
    await ok(`set ${name}=default`);
  // A stop file from before does not keep it from starting.
  await writeFile(join(home.path, "pid", "fullstopbucardo"), "from before\n");
  const { pid, ...started } = await start("--exit-on-nosync --log-format=json");
  expect(started).toMatchObject({ code: 0, stderr: "" });
  expect(readdirSync(join(home.path, "pid"))).not.toContain("fullstopbucardo");
  await A.query("insert into item values (2, 'y')");
  await ok("kick pepper 0");
  for (const [level, text] of [
    ["warn", "not so loud"],
    ["normal", "louder again"],
  ]) {
    await ok(`set log_level=${level}`);
    await ok("reload config 30");
    await ok(`message ${text}`);
  }
  // Requests are answered in order.
  await ok("ping 30");
  expect(await ok("deactivate pepper")).toContain("pepper");
  await gone(pid);
  const entries = (await readFile(join(home.path, "log.bucardo"), "utf8"))
    .trimEnd()
    .split("\n")
    .map((one) => JSON.parse(one) as { level: string; time: string; pid: number; msg: string; sync?: string });
  for (const { level, time, pid: from } of entries)
    expect({ level, time, from }).toEqual({
      level: expect.stringMatching(/^(info|warn|error)$/),
      time: new Date(time).toISOString(),
      from: pid,
    });
  expect(entries.some(({ sync, level }) => sync === "pepper" && level === "info")).toBe(true);
  expect(entries.map(({ msg }) => msg)).toContain("Stopping: no sync is active (--exit-on-nosync). Current runs are finished first.");
  expect(entries.filter(({ msg }) => msg.includes("MESSAGE")).map(({ msg }) => msg.replace(/^.*: /, ""))).toEqual(["louder again"]);
  expect(entries.at(-1)).toMatchObject({ msg: "Stopped." });

  // Started without an active sync it is gone at once.
  const again = await start("--exit-on-nosync");
  expect(again).toMatchObject({ code: 0, stderr: "" });
  await gone(again.pid);
  expect(await ok("stop")).toBe("No daemon is running\n");
});

/** The machine's own `logger`, told to send to a socket of ours in the place of /dev/log. */
async function openSyslog(): Promise<AsyncDisposable & { readonly bin: string; readonly heard: string[] }> {
  const heard: string[] = [];
  const socket: Socket = createSocket("udp4", (message) => void heard.push(message.toString()));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const bin = join(home.path, "bin");
  await mkdir(bin);
  const path = programEnv(home.path)["PATH"] ?? "";
  await writeFile(
    join(bin, "logger"),
    `#!/bin/sh\nPATH=${path} exec logger --server 127.0.0.1 --port ${socket.address().port} --udp --rfc3164 "$@"\n`,
    { mode: 0o755 },
  );
  const close = async (): Promise<void> => {
    socket.close();
    await once(socket, "close");
  };
  return { bin, heard, [Symbol.asyncDispose]: close };
}
