import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../harness/root.ts";
import { Running } from "../harness/program.ts";
import { scratch } from "../harness/scratch.ts";
import { processesIn } from "../harness/watchdog.ts";

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
  await using running = demo(place.path);
  const { code, stdout, stderr } = await running.ended(230_000);
  expect(stderr).toBe("");
  expect(stdout).toMatch(/both sides +equal, [\d,]+ accounts/);
  expect(stdout).toMatch(/downtime +[\d,]+ ms/);
  expect(stdout).toMatch(/left on the old server +nothing/);
  expect(stdout).toMatch(/left on the new server +nothing/);
  expect(stdout).not.toContain("\u001b");
  expect(code).toBe(0);
  nothingLeft(place.path);
});

test.for(["bucardo migrate start", "Rehearse the switch"])(
  "interrupted at “%s”, it leaves nothing",
  { timeout: 240_000 },
  async (moment) => {
    await using place = await scratch();
    await using running = demo(place.path);
    await running.said(moment, 120_000);
    running.kill("SIGINT");
    const { code, stderr } = await running.ended(30_000);
    expect(stderr).toContain("interrupted");
    expect(code).toBe(130);
    nothingLeft(place.path);
  },
);
