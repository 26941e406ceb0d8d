import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { forgetPair, readPair, rememberPair } from "./endpoints.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "bucardo-pair-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const shop = { from: "postgresql://joe:secret@old/shop", to: "postgresql://joe@new/shop" };
const blog = { from: "postgresql://joe@old/blog", to: "postgresql://joe@new/blog" };

function open() {
  const env = { HOME: home };
  return { env, config: loadConfig({ argvOptions: {}, env, cwd: home, home }) };
}

test("the pair of the last move is remembered for this user alone, and nothing else is left beside it", async () => {
  const context = open();
  await rememberPair(shop, context);
  await rememberPair(shop, context);
  expect(readPair({}, context)).toMatchObject({ old: { dbname: "shop" }, new: { dbname: "shop" } });
  const folder = join(home, ".bucardo");
  expect(readdirSync(folder).toSorted()).toEqual(["key", "move"]);
  expect(statSync(join(folder, "move")).mode & 0o777).toBe(0o600);
});

test("a move that ends takes only its own pair along, not that of another one that was begun since", async () => {
  const context = open();
  await rememberPair(shop, context);
  const first = readPair({}, context);
  await rememberPair(blog, context);
  forgetPair(context, first);
  const second = readPair({}, context);
  expect(second.old.dbname).toBe("blog");
  forgetPair(context, second);
  expect(() => readPair({}, context)).toThrow("--from is missing");
});
