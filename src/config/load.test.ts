import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig, type ConfigSources } from "./load.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "bucardo-load-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

function load(rc: string | null, { argvOptions = {}, env = {} }: Partial<ConfigSources> = {}) {
  if (rc !== null) {
    writeFileSync(join(cwd, ".bucardorc"), rc);
    chmodSync(join(cwd, ".bucardorc"), 0o600);
  }
  return loadConfig({ argvOptions, env, cwd, home: join(cwd, "home"), system: join(cwd, "none") });
}

test("defaults", () => {
  expect(load(null)).toEqual({
    control: { dbname: "bucardo", user: "bucardo" },
    piddir: null,
    keyfile: null,
    log: { destinations: [], level: null, format: "text", extension: null, clean: false, separate: false },
    overrides: {},
    options: {},
    rcFile: null,
    warnings: [],
  });
});

test("the rc file of the article", () => {
  const config = load("dbport=5566\n");
  expect(config.control).toEqual({ dbname: "bucardo", user: "bucardo", port: 5566 });
  expect(config.rcFile).toBe(join(cwd, ".bucardorc"));
  expect(config.warnings).toEqual([]);
});

test("flags before environment before rc file", () => {
  const rc = "dbhost = rc\ndbport : 1\ndbname=rc\ndbpass=geheim\nverbose=2\nbatch=yes\n";
  expect(load(rc).control).toEqual({ dbname: "rc", user: "bucardo", host: "rc", port: 1, password: "geheim" });
  const env = { BUCARDO_DBHOST: "env", BUCARDO_DBPORT: "2", BUCARDO_DEBUG: "1", BUCARDO_DBNAME: "" };
  const config = load(rc, { env, argvOptions: { dbhost: "flag", verbose: 0 } });
  expect(config.control).toMatchObject({ dbname: "rc", host: "flag", port: 2 });
  expect(config.options).toMatchObject({ verbose: 0, batch: true, debug: 1 });
});

test("settings of the rc file override those of the control database; log-level and piddir are both", () => {
  const config = load("idle_close=10\nKID-SLEEP=3\nlog_level=debug\npiddir=/x\n", { argvOptions: { piddir: "/y" } });
  expect(config.overrides).toEqual({ idle_close: "10", log_level: "debug", piddir: "/y" });
  expect([config.log.level, config.piddir, config.warnings]).toEqual(["debug", "/y", []]);
});

test("log options", () => {
  const config = load("logdest=/var/log/x\nlog-destination=stderr\nlog_format=json\nlogext=a\nlog-clean=on\n");
  expect(config.log).toEqual({
    destinations: ["/var/log/x", "stderr"],
    level: null,
    format: "json",
    extension: "a",
    clean: true,
    separate: false,
  });
  expect(load("debugdir=/old\n").log.destinations).toEqual(["/old"]);
  expect(load("logdest=a\n", { argvOptions: { "log-destination": ["b"] } }).log.destinations).toEqual(["b"]);
});

test("everything without effect is told, with its line", () => {
  const path = join(cwd, ".bucardorc");
  expect(load("dbprot=5566\nnonsense\nhelp=1\nvac_sleep=3\n").warnings).toEqual([
    `${path}, line 2: not of the form \`name = value\`; ignored`,
    `${path}, line 1: there is no option or setting "dbprot"; ignored`,
    `${path}, line 3: help is only for the command line; ignored`,
  ]);
});

test("a password in a file that others may read is told", () => {
  writeFileSync(join(cwd, ".bucardorc"), "dbpass=geheim\n");
  chmodSync(join(cwd, ".bucardorc"), 0o644);
  const { warnings } = loadConfig({ argvOptions: {}, env: {}, cwd, home: cwd });
  expect(warnings).toEqual([expect.stringContaining("chmod 600")]);
  expect(warnings.join()).not.toContain("geheim");
});

test.for([
  ["idle_close=soon", /line 1: idle_close must be a time/],
  ["batch=perhaps", /line 1: batch must be on or off/],
  ["dbport=many", /dbport must be a whole number/],
  ["dbport=0", /dbport must be a whole number/],
  ["log_format=xml", /log-format must be text or json/],
  ["log_level=loud", /log_level must be one of/],
] as const)("%s is an error", ([rc, message]) => {
  expect(() => load(rc)).toThrow(message);
});

test("another file, and none", () => {
  const other = join(cwd, "other");
  writeFileSync(other, "dbport=7\n");
  expect(load("dbport=1\n", { argvOptions: { bucardorc: other } }).control.port).toBe(7);
  expect(load("dbport=1\n", { argvOptions: { bucardorc: false } }).control.port).toBeUndefined();
});
