import { expect, test } from "vitest";
import { follow, makeTrips } from "./trips.ts";

test("ten times there and back while clients write: nothing differs, nothing is lost, no number is given out twice", async () => {
  const { rig, wanderers } = await makeTrips(10);
  await using _ = rig;
  expect(wanderers.twice).toEqual([]);
  await follow(rig, false);
  expect(await rig.differences()).toEqual([]);
  expect(await rig.target.query("select n from total order by id")).toEqual(wanderers.commits.map((n) => ({ n })));
});
