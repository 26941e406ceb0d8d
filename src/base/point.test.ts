import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { follow, parsePointOrders, reach } from "./point.ts";

test("orders are read", () => {
  expect(parsePointOrders("")).toEqual([]);
  expect(
    parsePointOrders("replicate.begun=kill; capture.purged=fail:3;replicate.settled=pause:/tmp/a:b;daemon.kick-taken=pause:/tmp/x:2"),
  ).toEqual([
    { point: "replicate.begun", action: "kill", file: null, pass: null },
    { point: "capture.purged", action: "fail", file: null, pass: 3 },
    { point: "replicate.settled", action: "pause", file: "/tmp/a:b", pass: null },
    { point: "daemon.kick-taken", action: "pause", file: "/tmp/x", pass: 2 },
  ]);
});

test.for([
  "replicate.nowhere=kill",
  "replicate.begun",
  "replicate.begun=explode",
  "replicate.begun=pause",
  "replicate.begun=kill:/tmp/x",
  "replicate.begun=kill:x",
])("%s is refused: a crash test that never crashes must not pass", (text) => {
  expect(() => parsePointOrders(text)).toThrow("BUCARDO_POINT");
});

test("without orders a point is passed at once", async () => {
  await reach("replicate.begun");
});

test("fail throws, on the pass it was asked for only", async () => {
  const walk = follow(parsePointOrders("replicate.begun=fail:2"));
  await walk("replicate.begun");
  await walk("replicate.locked");
  await expect(walk("replicate.begun")).rejects.toThrow("replicate.begun");
  await walk("replicate.begun");
});

test("pause holds until the file is removed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bucardo-point-"));
  const file = join(folder, "here");
  let passed = false;
  const walking = follow(parsePointOrders(`replicate.begun=pause:${file}`))("replicate.begun").then(() => (passed = true));
  expect(await readFile(file, "utf8")).toBe("replicate.begun");
  expect(passed).toBe(false);
  await rm(file);
  await walking;
  await rm(folder, { recursive: true });
});
