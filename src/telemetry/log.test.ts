import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BucardoError } from "../model/error.ts";
import { openLog, silentLog } from "./log.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bucardo-log-"));
});
afterEach(() => rmSync(folder, { recursive: true }));
const read = (name = "log.bucardo") => readFileSync(join(folder, name), "utf8");

test("text for people in the file of the directory, at once", () => {
  const log = openLog({ destinations: [folder, "none"], showTime: "none", showPid: false });
  log.child({ sync: "pepper" }).info({ rows: 5 }, "Settled.");
  log.debug("not at this level");
  expect(read()).toBe("INFO pepper: Settled. (rows=5)\n");
  log.setLevel("VERBOSE");
  log.debug("now");
  expect(read()).toContain("DEBUG now\n");
  log.close();
});

test("JSON with fixed names", () => {
  const log = openLog({ destinations: [folder], format: "json", extension: "x" });
  log.child({ sync: "pepper" }).warn({ db: "a", table: "public.t", sqlstate: "23505", ms: 3 }, "Refused.");
  log.close();
  expect(JSON.parse(read("log.bucardo.x"))).toEqual({
    level: "warn",
    time: expect.any(String),
    pid: process.pid,
    sync: "pepper",
    db: "a",
    table: "public.t",
    sqlstate: "23505",
    ms: 3,
    msg: "Refused.",
  });
});

test("of an error nothing that holds values of rows: neither key nor cause", () => {
  const cause = Object.assign(new Error("duplicate key"), { detail: "Key (id)=(4711) already exists." });
  const error = new BucardoError("data-rejected", "the target refused a row", { key: "4711", sqlstate: "23505", table: "public.t", cause });
  const wrapped = new Error("outer", { cause: error });
  for (const format of ["text", "json"] as const) {
    const log = openLog({ destinations: [folder], format });
    log.error({ err: error }, "Run failed.");
    log.error({ err: wrapped }, "Run failed.");
    log.close();
  }
  expect(read()).toContain("the target refused a row");
  expect(read()).toContain("Mend what the message names");
  expect(read()).not.toContain("4711");
});

test("after a rotation the log goes on in a new file", () => {
  const log = openLog({ destinations: [folder], showTime: "none", showPid: false });
  log.info("one");
  renameSync(join(folder, "log.bucardo"), join(folder, "log.bucardo.1"));
  log.info("two");
  log.reopen();
  log.info("three");
  log.close();
  expect(read("log.bucardo.1")).toBe("INFO one\nINFO two\n");
  expect(read()).toBe("INFO three\n");
});

test("clean removes old logs and nothing else", () => {
  for (const name of ["log.bucardo", "log.bucardo.1", "log.bucardo.x", "log.other"]) writeFileSync(join(folder, name), "old\n");
  openLog({ destinations: [folder], clean: true }).close();
  expect(readdirSync(folder).toSorted()).toEqual(["log.bucardo", "log.other"]);
  expect(read()).toBe("old\n");
});

test("a place that cannot be written and an unknown level are refused; a path with a dot is a file, one without must be a directory", () => {
  expect(() => openLog({ destinations: [join(folder, "missing")] })).toThrow(/cannot be written/);
  expect(() => openLog({ destinations: [join(folder, "missing", "a.log")] })).toThrow(/cannot be written/);
  expect(() => openLog({ destinations: [folder], clean: true, level: "loud" })).toThrow(/log level/);
  const log = openLog({ destinations: [join(folder, "own.log")], showTime: "none", showPid: false });
  log.info("here");
  log.close();
  expect(read("own.log")).toBe("INFO here\n");
});

test("each sync's lines also in a file of their own, warnings in another; all are opened again", () => {
  const style = { showTime: "none", showPid: false } as const;
  const log = openLog({ destinations: [folder], separate: true, warningFile: "warnings", ...style });
  log.info("of nobody");
  log.child({ sync: "pepper" }).warn("careful");
  log.child({ sync: "salt" }).info("fine");
  renameSync(join(folder, "log.bucardo.pepper"), join(folder, "old"));
  log.reopen();
  log.child({ sync: "pepper" }).info("again");
  log.close();
  expect(read()).toBe("INFO of nobody\nWARN pepper: careful\nINFO salt: fine\nINFO pepper: again\n");
  expect([read("old"), read("log.bucardo.pepper"), read("log.bucardo.salt")]).toEqual([
    "WARN pepper: careful\n",
    "INFO pepper: again\n",
    "INFO salt: fine\n",
  ]);
  expect(read("warnings")).toBe("WARN pepper: careful\n");
});

test("the time by a format of strftime, and the line of the program", () => {
  const log = openLog({ destinations: [folder], showPid: false, showLine: true, timeFormat: "%Y" });
  log.info("said");
  log.close();
  expect(read()).toMatch(/^\[\d{4}\] #log\.test\.ts:\d+ INFO said\n$/);
});

test("a silent log can be used as any other", () => {
  const log = silentLog().child({ sync: "x" });
  log.fatal("nobody hears");
  log.error({ err: new Error("x") }, "nobody hears");
});
