import { expect, test } from "vitest";
import { operationsOfVerb } from "../operations/find.ts";
import { operations } from "../operations/registry.ts";
import { verbHelp } from "./help.ts";

test("the second word of most commands is a noun, that of a move another verb", () => {
  expect(verbHelp("bucardo", "add", operationsOfVerb(operations, "add"))).toContain("`bucardo help add NOUN`");
  expect(verbHelp("bucardo", "migrate", operationsOfVerb(operations, "migrate"))).toContain("`bucardo help migrate VERB`");
});
