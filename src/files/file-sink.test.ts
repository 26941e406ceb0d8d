import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { onPoint } from "../base/point.ts";
import type { Sink, SinkRun, SinkTable } from "../replicate/sink.ts";
import { directoryProblem, fileName, openFiles } from "./file-sink.ts";

const SYNC = { id: "6c1d5b0e-0000-4000-8000-000000000001", name: "pepper" };
const RUN = { sync: SYNC, source: "A" };
const own = { type: 'pg_catalog."int4"', equals: "operator(pg_catalog.=)", cast: "" };
const TABLE: SinkTable = {
  schema: "public",
  name: "t",
  key: [{ name: "id", type: "integer", own }],
  columns: [{ name: "id", type: "integer", alwaysIdentity: false }],
  parent: false,
};

let directory: string;
let sink: Sink;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "bucardo-files-"));
  sink = openFiles({ name: "F", type: "flatpg", directory });
});

afterEach(() => rm(directory, { recursive: true, force: true }));

async function write(run: SinkRun, keys: string): Promise<void> {
  const taker = run.deleteKeys(TABLE);
  await taker.take(Buffer.from(keys));
  await taker.end();
}

async function whole(keys: string): Promise<number> {
  await using run = await sink.begin(RUN);
  await write(run, keys);
  await run.prepare();
  return (await run.commit({})).number;
}

const files = async (): Promise<string[]> => (await readdir(directory)).filter((name) => name.endsWith(".sql")).toSorted();
const unfinished = async (): Promise<string[]> => (await readdir(join(directory, ".bucardo"))).filter((name) => !name.endsWith(".record"));
const first = fileName("pepper", 1);

test("a run is one file of its own, for its owner only; nothing of it is seen before it is whole", async () => {
  await using run = await sink.begin(RUN);
  expect(run.place).toBeNull();
  await write(run, "1\n2\n");
  await run.prepare();
  expect(await files()).toEqual([]);
  const place = await run.commit({ "public.q": "7" });
  expect(place).toMatchObject({ number: 1, positions: { "public.q": "7" } });
  expect(await files()).toEqual([first]);
  expect((await stat(join(directory, first))).mode & 0o777).toBe(0o600);
  expect(await readFile(join(directory, first), "utf8")).toMatch(
    /^-- bucardo flatpg: sync pepper, number 1, from A, .*begin;\ndelete from "public"\."t" where "id" in \('1', '2'\);\ncommit;\n$/s,
  );
  await using next = await sink.begin(RUN);
  expect(next.place).toMatchObject(place);
  expect(first).toBe("bucardo.flatfile.pepper.0000000001.sql");
});

test("what is not committed leaves nothing, and no gap in the numbers", async () => {
  {
    await using run = await sink.begin(RUN);
    await write(run, "1\n");
    await run.prepare();
  }
  expect(await unfinished()).toEqual([]);
  expect(await whole("2\n")).toBe(1);
  await rm(join(directory, first));
  expect(await whole("3\n")).toBe(2);
});

test("a file that had not got its name is begun again under the same number, and its sequences are written again", async () => {
  await whole("1\n");
  const left = await sink.begin(RUN);
  await write(left, "2\n");
  await left.prepare();
  {
    using _ = onPoint((point) => {
      if (point === "files.recorded") throw new Error("here it was killed");
    });
    await expect(left.commit({ "public.q": "7" })).rejects.toThrow("here it was killed");
  }
  expect(await unfinished()).toHaveLength(1);
  await using run = await sink.begin(RUN);
  expect(run.place).toMatchObject({ number: 1, positions: {} });
  expect(await unfinished()).toHaveLength(1);
  await write(run, "3\n");
  await run.prepare();
  expect(await run.commit({})).toMatchObject({ number: 2 });
  expect(await readFile(join(directory, fileName("pepper", 2)), "utf8")).toContain("'3'");
});

test("whoever began before cannot finish any more", async () => {
  await using old = await sink.begin(RUN);
  await write(old, "1\n");
  await old.prepare();
  await using young = await sink.begin(RUN);
  await expect(old.commit({})).rejects.toMatchObject({ code: "run-void" });
  await write(young, "2\n");
  await young.prepare();
  await young.commit({});
  for (const name of await files()) expect(await readFile(join(directory, name), "utf8")).not.toContain("'1'");
});

test("a file of somebody else's is not written over", async () => {
  await whole("1\n");
  const path = join(directory, fileName("pepper", 2));
  await writeFile(path, "mine");
  await expect(whole("1\n")).rejects.toMatchObject({ code: "file-target" });
  expect(await readFile(path, "utf8")).toBe("mine");
});

test("a new sync of an old name goes on behind the files that are left", async () => {
  await writeFile(join(directory, fileName("pepper", 41)), "");
  await writeFile(join(directory, fileName("pepper_2", 99)), "");
  expect(await whole("1\n")).toBe(42);
});

test("a record that is broken stops, and says where it is", async () => {
  await whole("1\n");
  await writeFile(join(directory, ".bucardo", `${SYNC.id}.record`), '{"id":');
  await expect(sink.begin(RUN)).rejects.toMatchObject({
    code: "file-target",
    message: expect.stringContaining(`${SYNC.id}.record`) as string,
  });
});

test("no directory, no run; it is never made", async () => {
  await rm(directory, { recursive: true });
  await expect(sink.begin(RUN)).rejects.toMatchObject({
    code: "file-target",
    message: expect.stringContaining("does not exist") as string,
  });
  expect(await directoryProblem(directory)).toContain("does not exist");
  await writeFile(directory, "");
  expect(await directoryProblem(directory)).toContain("is no directory");
});

test("many keys are many statements", async () => {
  await whole(Array.from({ length: 1201 }, (_, index) => `${index}\n`).join(""));
  const text = await readFile(join(directory, first), "utf8");
  expect(text.match(/delete from/g)).toHaveLength(3);
  expect(text.match(/'\d+'/g)).toHaveLength(1201);
});
