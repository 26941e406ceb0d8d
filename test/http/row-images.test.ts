import { expect, test } from "vitest";
import { z } from "zod";
import { operations } from "../../src/operations/registry.ts";

test("whatever shows rows of people's tables wants the token; what goes on for ever is not offered", () => {
  const shows = operations.filter(({ output }) => JSON.stringify(z.toJSONSchema(output, { unrepresentable: "any" })).includes('"image":'));
  expect(shows.map(({ name }) => name.join(" "))).toEqual(expect.arrayContaining(["list set-aside", "list conflict"]));
  for (const { name, http } of shows) expect([name.join(" "), http]).toEqual([name.join(" "), "token"]);
  const endless = operations.filter(({ streams }) => streams === true);
  expect(endless.map(({ http }) => typeof http === "object" && "refused" in http)).toEqual(endless.map(() => true));
});
