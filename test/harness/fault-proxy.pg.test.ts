import { expect, test } from "vitest";
import { createDatabase } from "./database.ts";
import { faultProxy } from "./fault-proxy.ts";
import { sharedServer } from "./shared-server.ts";
import { waitFor } from "./wait.ts";

test("the proxy passes on, cuts, stalls, slows and refuses", async () => {
  const server = await sharedServer(18);
  await using database = await createDatabase(server);
  await using proxy = await faultProxy({ targetPort: server.port });
  const through = (): ReturnType<typeof database.client> => database.client({ port: proxy.port });

  const first = await through();
  expect((await first.query("select 1 as a")).rows).toEqual([{ a: 1 }]);
  proxy.cut();
  await expect(first.query("select 1")).rejects.toThrow();

  const second = await through();
  proxy.stall();
  let answered = false;
  const answer = second.query("select 2").then(() => (answered = true));
  await waitFor(() => proxy.holding === 1, { what: "the question to be held back" });
  expect(answered).toBe(false);
  proxy.resume();
  await answer;
  expect(proxy.holding).toBe(0);

  proxy.slow(100_000);
  const start = performance.now();
  await second.query("select repeat('x', 30000)");
  expect(performance.now() - start).toBeGreaterThan(200);
  proxy.resume();

  proxy.cutAfter("toClient", 50_000);
  await expect(second.query("select repeat('x', 100000)")).rejects.toThrow();

  const third = await through();
  let acted = 0;
  proxy.after("toClient", 50_000, () => (acted += 1));
  await third.query("select repeat('x', 200000)");
  expect(acted).toBe(1);

  proxy.refuse();
  await expect(through()).rejects.toThrow();
});
