import { spawn } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../harness/root.ts";
import { Running } from "../harness/program.ts";
import { scratch, type Scratch } from "../harness/scratch.ts";
import { processesIn } from "../harness/watchdog.ts";

/** A folder with nothing in it. */
function emptyIn(place: Scratch): string {
  const runDir = join(place.path, "run");
  mkdirSync(runDir);
  return runDir;
}

function demo(runDir: string): Running {
  const child = spawn(process.execPath, [join(root, "scripts", "demo.mjs")], {
    cwd: root,
    env: { ...process.env, BUCARDO_TEST_RUN_DIR: runDir },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Running(child);
}

function nothingLeft(runDir: string): void {
  expect(readdirSync(runDir)).toEqual([]);
  expect(processesIn(runDir)).toEqual([]);
}

test("the demo moves a database, proves it and leaves nothing", { timeout: 240_000 }, async () => {
  await using place = await scratch();
  const runDir = emptyIn(place);
  await using running = demo(runDir);
  const { code, stdout, stderr } = await running.ended(230_000);
  expect(stderr).toBe("");
  expect(stdout).toMatch(/both sides +equal, [\d,]+ accounts/);
  expect(stdout).toMatch(/downtime +[\d,]+ ms/);
  expect(stdout).toMatch(/left on the old server +nothing/);
  expect(stdout).toMatch(/left on the new server +nothing/);
  expect(stdout).not.toContain("\u001b");
  expect(code).toBe(0);
  nothingLeft(runDir);
});

test.for(["bucardo migrate start", "Rehearse the switch"])(
  "interrupted at “%s”, it leaves nothing",
  { timeout: 240_000 },
  async (moment) => {
    await using place = await scratch();
    const runDir = emptyIn(place);
    await using running = demo(runDir);
    await running.said(moment, 120_000);
    running.kill("SIGINT");
    const { code, stderr } = await running.ended(30_000);
    expect(stderr).toContain("interrupted");
    expect(code).toBe(130);
    nothingLeft(runDir);
  },
);
