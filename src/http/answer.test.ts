import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { answer, type Rules } from "./answer.ts";
import { plain } from "./request.ts";

/** The status of one request under these rules. */
async function statusUnder(rules: Partial<Rules>): Promise<{ status: number; text: string }> {
  const whole: Rules = {
    names: [],
    readsNeedToken: false,
    token: { accepts: () => false },
    rate: { take: () => true },
    routeOf: () => ({ needs: "read", run: async () => plain(200, "here") }),
    onMistake: () => undefined,
    ...rules,
  };
  const server = createServer((request, response) => void answer(request, response, whole));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/x`);
    return { status: response.status, text: await response.text() };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("a request goes to its route", async () => expect(await statusUnder({})).toEqual({ status: 200, text: "here" }));

test("too many are sent away before anything is done for them", async () => {
  let asked = 0;
  const routeOf = () => ((asked += 1), null);
  expect(await statusUnder({ rate: { take: () => false }, routeOf })).toMatchObject({ status: 429 });
  expect(asked).toBe(0);
});

test("without the token nothing is read where it is needed", async () =>
  expect((await statusUnder({ readsNeedToken: true })).status).toBe(401));

test("a mistake of ours is noted and tells nothing of itself", async () => {
  const noted: unknown[] = [];
  const run = async () => {
    throw new Error("secret-detail");
  };
  const { status, text } = await statusUnder({ routeOf: () => ({ needs: "open", run }), onMistake: (error) => noted.push(error) });
  expect([status, noted.length]).toEqual([500, 1]);
  expect(text).not.toContain("secret-detail");
});
