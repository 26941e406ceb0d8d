import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

type Planted = {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly tests: readonly { readonly file: string }[];
};

const root = new URL("../../", import.meta.url);

/** `npm run test:planted` takes hours; that each bug can be planted at all is seen at once. */
test("every planted bug has its place in the code, and its tests exist", async () => {
  const lost: string[] = [];
  for (const file of readdirSync(new URL("scripts/planted-bugs", root))) {
    const lists = Object.values((await import(new URL(`scripts/planted-bugs/${file}`, root).href)) as Record<string, unknown>);
    for (const { name, file: planted, find, tests } of lists.filter(Array.isArray).flat() as Planted[]) {
      const places = readFileSync(new URL(planted, root), "utf8").split(find).length - 1;
      if (places !== 1) lost.push(`${name}: ${places} times in ${planted}`);
      for (const shown of tests) if (!existsSync(new URL(shown.file, root))) lost.push(`${name}: ${shown.file} is no test`);
    }
  }
  expect(lost).toEqual([]);
});
