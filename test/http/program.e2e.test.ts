import { afterAll, beforeAll, expect, test } from "vitest";
import { createDatabase, type TestDatabase } from "../harness/database.ts";
import { spawnProgram } from "../harness/program.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { openHome, type Home } from "../e2e/home.ts";
import { waitFor } from "../harness/wait.ts";
import { ask, Listener } from "./ask.ts";

let control: TestDatabase;
let home: Home;
beforeAll(async () => {
  control = await createDatabase(await sharedServer(15));
  home = await openHome(control);
  await home.ok("install --batch");
  // A build may come first.
}, 180_000);
afterAll(async () => {
  await home[Symbol.asyncDispose]();
  await control[Symbol.asyncDispose]();
});

const env = { BUCARDO_HTTP: "127.0.0.1:0" };

test("the daemon serves from start to stop, says where, and tells its listeners goodbye", { timeout: 120_000 }, async () => {
  const started = await home.ok("start", { env });
  const url = /^Page: (http:\/\/127\.0\.0\.1:\d+)$/m.exec(started)?.[1] ?? "";
  expect(url).not.toBe("");
  expect((await ask(`${url}/readyz`)).text).toBe("ready\n");
  const [token = "", link] = (await home.ok("http token")).split("\n");
  expect(link).toBe(`${url}/#token=${token}`);
  expect((await ask(`${url}/api/v1/site`, { token })).json()).toMatchObject({ output: { by: "daemon", authorized: true } });
  // Another one goes on without an address that is taken.
  await using looker = await spawnProgram(["serve"], { cwd: home.path, env: { BUCARDO_HTTP: url.replace("http://", "") } });
  expect(await looker.ended()).toMatchObject({ code: 1, stderr: expect.stringContaining("the address is taken") });
  using listener = await Listener.open(`${url}/events`);
  await waitFor(() => listener.heard.length > 0, { what: "the snapshot" });
  await home.ok("stop", { env });
  await waitFor(() => listener.ended, { what: "the stream to end" });
  expect(listener.heard.at(-1)?.event).toBe("bye");
  await expect(ask(`${url}/healthz`)).rejects.toThrow("ECONNREFUSED");
});

test("serve shows a control database without its daemon", { timeout: 120_000 }, async () => {
  await using looker = await spawnProgram(["serve"], { cwd: home.path, env });
  await looker.said("Serving at ");
  const url = /Serving at (\S+)/.exec(looker.stdout)?.[1] ?? "";
  expect(await ask(`${url}/readyz`)).toMatchObject({ status: 503, text: "no daemon is ready\n" });
  expect((await ask(`${url}/api/v1/site`)).json()).toMatchObject({ output: { by: "alone", hasControl: true, hasMigration: false } });
  expect((await ask(`${url}/metrics`)).text).toContain("bucardo_daemon_up 0\n");
  looker.kill("SIGINT");
  expect((await looker.ended()).signal).toBeNull();
});
