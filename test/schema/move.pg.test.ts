import { describe, expect, test } from "vitest";
import { richSchema } from "./rich.ts";
import { dump, failuresOf, restoreAll, side, textsOf } from "./rig.ts";

describe.each([
  [10, 18],
  [13, 17],
  [18, 18],
  [18, 14],
] as const)("%i to %i", (from, to) => {
  test("a rich schema arrives, as if it had been made there", async () => {
    await using source = await side("old", from);
    await using target = await side("new", to);
    await using reference = await side("reference", to);
    const text = richSchema(from < to ? from : to);
    await source.database.query(text);
    await reference.database.query(text);
    // What differs between new databases of the two versions is carried too.
    if (from < 15 && to >= 15)
      await reference.database.query("alter schema public owner to postgres; grant create on schema public to public");
    if (from >= 15 && to < 15) await reference.database.query("revoke create on schema public from public");
    const { session } = target;
    const dumped = await dump(source, session.serverVersion, { pgDump: "built-in" });
    expect(failuresOf(await restoreAll(target, dumped.objects))).toEqual([]);
    const arrived = await dump(target, session.serverVersion, { pgDump: "built-in" });
    expect(textsOf(arrived)).toEqual(textsOf(await dump(reference, session.serverVersion, { pgDump: "built-in" })));
  });
});
