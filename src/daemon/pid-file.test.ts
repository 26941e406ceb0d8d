import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { livingOwner, pidFilePath, readPidFile, removePidFile, writePidFile } from "./pid-file.ts";

let piddir: string;
beforeEach(async () => {
  piddir = await mkdtemp(join(tmpdir(), "bucardo-pid-"));
});
afterEach(async () => {
  await rm(piddir, { recursive: true });
});

test("names the living process and is removed by it", async () => {
  await writePidFile(piddir, "bucardo daemon");
  expect(await livingOwner(piddir)).toMatchObject({ pid: process.pid, command: "bucardo daemon" });
  await removePidFile(piddir);
  expect(await readPidFile(piddir)).toBeNull();
});

test("a later process with the same pid is not taken for the owner", async () => {
  await writePidFile(piddir, "bucardo daemon");
  const path = pidFilePath(piddir);
  const lines = (await readFile(path, "utf8")).split("\n");
  lines[3] = String(Number(lines[3]) - 1);
  await writeFile(path, lines.join("\n"));
  expect(await readPidFile(piddir)).not.toBeNull();
  expect(await livingOwner(piddir)).toBeNull();
});

test("a dead process, rubbish and no file are no owner", async () => {
  expect(await livingOwner(piddir)).toBeNull();
  await writeFile(pidFilePath(piddir), "4194999\nbucardo\n\n-\n");
  expect(await livingOwner(piddir)).toBeNull();
  await writeFile(pidFilePath(piddir), "what is this");
  expect(await livingOwner(piddir)).toBeNull();
});

test("another process's file stays", async () => {
  await writeFile(pidFilePath(piddir), "1\ninit\n\n-\n");
  await removePidFile(piddir);
  expect(await readPidFile(piddir)).toMatchObject({ pid: 1 });
});
