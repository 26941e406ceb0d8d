import { expect, test } from "vitest";
import { onServer } from "../harness/database.ts";
import { footprint } from "../harness/footprint.ts";
import { openSiblings } from "./siblings.ts";

test(
  "databases of one server move side by side, roles once; the last one that is given up takes them away",
  { timeout: 180_000 },
  async () => {
    const names = ["one", "two"];
    await using site = await openSiblings(names);
    const before = await Promise.all(site.olds.map((old) => footprint(old)));
    // At once: whoever comes first makes a role, the other finds it.
    await Promise.all(names.map((name) => site.run(name, "start --jobs=1")));
    expect(await site.roles()).toEqual(["owner_of_all", "quiet", "readers"]);
    const made = "select rolconnlimit as limit, rolpassword is not null as password from pg_authid where rolname = 'owner_of_all'";
    expect(await onServer(site.younger, async (admin) => (await admin.query(made)).rows)).toEqual([{ limit: 5, password: true }]);
    // Who was quicker nobody knows: one of the two made some at least, or both did.
    const [maker, other] = (await site.made("one")) > 0 ? (["one", "two"] as const) : (["two", "one"] as const);
    // The other one needs them still, also that of which nothing of its depends.
    expect(await site.run(maker, "abort --yes")).toContain("roles stay");
    expect(await site.roles()).toEqual(["owner_of_all", "quiet", "readers"]);
    await site.run(other, "abort --yes");
    expect(await site.roles()).toEqual([]);
    expect(await site.databases()).toEqual([]);
    expect(await Promise.all(site.olds.map((old) => footprint(old)))).toEqual(before);
  },
);
