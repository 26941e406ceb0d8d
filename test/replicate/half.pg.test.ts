import { expect, test } from "vitest";
import { onPoint } from "../../src/base/point.ts";
import { BucardoError } from "../../src/model/error.ts";
import { openStar, type Star } from "./star.ts";

async function dying(star: Star): Promise<void> {
  using _end = onPoint((point) => {
    if (point === "replicate.target-committed") throw new BucardoError("connection-lost", "as if the daemon were killed");
  });
  await expect(star.run("A", "B")).rejects.toMatchObject({ code: "connection-lost" });
  await star.dropSessions();
}

test("a run that died between its commit and its settling is settled as it was, and one that left a table out is made again", async () => {
  const schema = "create table t (id int primary key, v text); create table u (id int primary key, v text)";
  await using star = await openStar({ schema, tables: ["t", "u"], members: { A: 15, B: 18 } });
  await star.of("A").query("insert into t values (1, 'first'); insert into u values (1, 'first')");
  await star.run("A", "B");

  await star.of("A").query("update t set v = 'second'");
  await dying(star);
  expect((await star.run("A", "B")).outcome).toBe("empty");

  // A daemon with an older definition, which did not know of u.
  await star.of("A").query("update t set v = 'third'; update u set v = 'third'");
  const all = star.relations;
  star.relations = all.filter(({ name }) => name.name === "t");
  await dying(star);
  star.relations = all;
  await star.drain();
  expect(await star.differences()).toEqual([]);
  expect(await star.rows("B", "select v from u")).toEqual([{ v: "third" }]);
});
