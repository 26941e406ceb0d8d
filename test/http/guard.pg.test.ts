import { chmod, readFile, stat } from "node:fs/promises";
import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resolveSettings } from "../../src/config/setting.ts";
import { serveHttp } from "../../src/http/place.ts";
import { createAuthority } from "../harness/certificate.ts";
import { waitFor } from "../harness/wait.ts";
import { writeFile } from "node:fs/promises";
import { memoryLog } from "../daemon/memory-log.ts";
import { ask } from "./ask.ts";
import { openHttpRig, type HttpRig } from "./rig.ts";

let rig: HttpRig;
beforeAll(async () => {
  rig = await openHttpRig();
});
afterAll(async () => await rig?.[Symbol.asyncDispose]());

const paused = async (): Promise<boolean> => (await rig.site.control.one<{ paused: boolean }>("select paused from bucardo.sync")).paused;
const pause = { json: { syncs: ["pepper"] } };

test("whatever changes something needs the token, in the one way it may come", async () => {
  const path = "/api/v1/pause";
  expect(await rig.ask(path, pause)).toMatchObject({ status: 401, headers: { "www-authenticate": expect.stringContaining("Bearer") } });
  expect((await rig.ask(path, { ...pause, token: "bcd_wrong" })).status).toBe(401);
  expect((await rig.ask(path, { ...pause, headers: { cookie: `token=${rig.token}` } })).status).toBe(401);
  expect((await rig.ask(`${path}?token=${rig.token}`, pause)).status).toBe(401);
  // A form of another site can send these, and never application/json or the header.
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
    expect((await rig.ask(path, { body: '{"syncs":["pepper"]}', token: rig.token, headers: { "content-type": type } })).status, type).toBe(
      415,
    );
  expect((await rig.ask(`${path}?syncs=pepper`, { token: rig.token })).status).toBe(405);
  expect(await paused()).toBe(false);
  const done = await rig.ask(path, { ...pause, token: rig.token });
  expect([done.status, done.json()["ok"], await paused()]).toEqual([200, true, true]);
  expect((await rig.ask("/api/v1/resume", { ...pause, token: rig.token })).status).toBe(200);
});

test("another site can neither write nor read, with the token or without", async () => {
  const from = (headers: Record<string, string>) => rig.ask("/api/v1/pause", { ...pause, token: rig.token, headers });
  expect((await from({ origin: "https://evil.example.org" })).status).toBe(403);
  expect((await from({ origin: "null" })).status).toBe(403);
  expect((await from({ "sec-fetch-site": "cross-site" })).status).toBe(403);
  expect((await from({ host: "evil.example.org:8432" })).status).toBe(421);
  expect(await paused()).toBe(false);
  for (const path of ["/api/v1/status", "/events", "/metrics", "/openapi.json"]) {
    expect((await rig.ask(path, { headers: { "sec-fetch-site": "cross-site" } })).status, path).toBe(403);
    expect((await rig.ask(path, { headers: { host: "rebound.example.org" } })).status, path).toBe(421);
  }
  const preflight = await rig.ask("/api/v1/pause", { method: "OPTIONS", headers: { origin: "https://evil.example.org" } });
  expect(preflight.status).toBe(405);
  for (const answer of [preflight, await rig.ask("/api/v1/status"), await rig.ask("/")])
    expect(Object.keys(answer.headers).filter((name) => /^(access-control|set-cookie)/.test(name))).toEqual([]);
});

test("reading is free on this machine; row images are not, and keys of rows are left out", async () => {
  const { control } = rig.site;
  for (const path of ["/api/v1/status", "/api/v1/list/dbs", "/api/v1/show", "/api/v1/list/runs?sync=pepper", "/metrics"])
    expect((await rig.ask(path)).status, path).toBe(200);
  expect((await rig.ask("/api/v1/list/set-aside?words=pepper")).status).toBe(401);
  expect((await rig.ask("/api/v1/list/set-aside?words=pepper", { token: rig.token })).status).toBe(200);
  expect((await rig.ask("/api/v1/compare", { json: { words: ["pepper"] } })).status).toBe(401);
  await control.query(
    `with r as (insert into bucardo.run (sync, target, reason, ended_at, outcome, error_code, error_message, error_key)
                select id, 'B', 'kick', now(), 'bad', 'data-rejected', 'refused', '(id) = (4711-secret)' from bucardo.sync returning id, sync)
     update bucardo.target_state t set last_bad = r.id from r where t.sync = r.sync`,
  );
  expect((await rig.ask("/api/v1/status")).text).not.toContain("4711-secret");
  expect((await rig.ask("/api/v1/status", { token: rig.token })).text).toContain("4711-secret");
  for (const path of ["/api/v1/list/runs?sync=pepper", "/metrics"]) {
    const { text } = await rig.ask(path, { token: rig.token });
    expect(text, path).not.toContain("4711-secret");
  }
});

test("what is for the command line alone is refused, and so are its keys", async () => {
  const post = (path: string, json: object = {}) => rig.ask(`/api/v1/${path}`, { json, token: rig.token });
  for (const path of [
    "stop",
    "start",
    "restart",
    "daemon/run",
    "uninstall",
    "install",
    "set",
    "migrate/start",
    "migrate/abort",
    "http/token",
  ]) {
    const refused = await post(path);
    expect([refused.status, refused.json()["error"]?.["code"]], path).toEqual([403, "http-refused"]);
  }
  for (const [name, value] of [
    ["on_switch", "touch /tmp/x"],
    ["yes", true],
    ["from", "host=evil"],
    ["pgbouncer_ini", ["/etc/passwd"]],
  ] as const) {
    const refused = await post("migrate/cutover", { [name]: value, confirm: "shop" });
    expect([refused.status, refused.json()["error"]?.["code"]], name).toEqual([400, "http-refused"]);
  }
  expect((await post("no/such")).status).toBe(404);
});

test("inputs are checked as on the command line, all at once", async () => {
  const bad = await rig.ask("/api/v1/list/runs?sync=pepper&limit=0");
  expect([bad.status, bad.json()["error"]?.["message"]]).toEqual([400, expect.stringContaining("from 1 to 1000")]);
  expect((await rig.ask("/api/v1/list/runs?sync=pepper&colour=red")).text).toContain('has no key \\"colour\\"');
  expect((await rig.ask("/api/v1/list/runs?sync=nobody")).status).toBe(404);
  expect((await rig.ask("/api/v1/kick", { json: {}, token: rig.token })).text).toContain("at least 1 words");
  for (const body of ["[]", "1", "{", '"x"', "null"])
    expect((await rig.ask("/api/v1/kick", { body, token: rig.token, headers: { "content-type": "application/json" } })).status, body).toBe(
      400,
    );
});

test("bodies, headers and paths have their limits", async () => {
  const large = { json: { syncs: ["x".repeat(300_000)] }, token: rig.token };
  expect((await rig.ask("/api/v1/kick", large)).status).toBe(413);
  expect((await rig.ask("/api/v1/status", { headers: { "x-large": "x".repeat(20_000) } })).status).toBe(431);
  for (const path of [
    "/../package.json",
    "/%2e%2e/package.json",
    "/a/../../package.json",
    "//etc/passwd",
    "/.env",
    "/assets/..%2f..%2fpackage.json",
  ])
    expect((await rig.ask(path)).status, path).toBe(404);
  expect(await noise("GET / HTTP/1.1\r\n\r\n")).toContain(" 400 ");
  expect(await noise("nonsense\r\n\r\n")).toContain(" 400 ");
});

/** What the server says to bytes that are no request. */
function noise(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(rig.url);
    const socket = connectSocket(Number(port), hostname);
    let heard = "";
    socket
      .on("data", (part) => (heard += String(part)))
      .on("close", () => resolve(heard))
      .on("error", reject);
    socket.write(text);
  });
}

test("nothing of the page may come from elsewhere, and no answer is kept or guessed", async () => {
  for (const path of ["/", "/api/v1/status", "/nothing", "/healthz"]) {
    const { headers } = await rig.ask(path);
    expect(headers, path).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
    });
    expect(headers["content-security-policy"], path).toMatch(/^default-src 'none'/);
    expect(headers["content-security-policy"], path).not.toMatch(/unsafe|\*|https?:/);
  }
  expect((await rig.ask("/api/v1/status")).headers["cache-control"]).toBe("no-store");
});

test("the token is this user's alone; a new one counts at once", async () => {
  const file = join(rig.site.home, ".bucardo", "http-token");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await readFile(file, "utf8")).trim()).toBe(rig.token);
  expect((await rig.site.ok("http token")).split("\n")[0]).toBe(rig.token);
  const [token = ""] = (await rig.site.ok("http token --rotate")).split("\n");
  expect(token).not.toBe(rig.token);
  expect((await rig.ask("/api/v1/kick", { ...pause, token: rig.token })).status).toBe(401);
  expect((await rig.ask("/api/v1/kick", { ...pause, token })).status).toBe(200);
  await chmod(file, 0o644);
  expect((await rig.ask("/api/v1/kick", { ...pause, token })).status).toBe(401);
  await chmod(file, 0o600);
  expect((await rig.ask("/api/v1/site", { token })).json()["output"]).toMatchObject({
    authorized: true,
    readsNeedToken: false,
    by: "daemon",
  });
  expect((await rig.ask("/api/v1/site", { token: "wrong" })).json()["output"]).toMatchObject({ authorized: false });
  (rig as { token: string }).token = token;
});

test("beyond this machine: nothing without a certificate, with it TLS and the token for everything but the page's files", async () => {
  const log = memoryLog();
  const served = { ...rig.served, log };
  await using none = await serveHttp(served, resolveSettings({ http: "0.0.0.0:0" }));
  expect([none.url, log.lines.join()]).toEqual([null, expect.stringContaining("there is no certificate")]);

  const authority = createAuthority();
  const { certificate, key } = authority.issue({ commonName: "localhost", hosts: ["127.0.0.1"] });
  const [certificateFile, keyFile] = [join(rig.site.home, "c.pem"), join(rig.site.home, "k.pem")];
  await writeFile(certificateFile, certificate);
  await writeFile(keyFile, key);
  await none.settings(resolveSettings({ http: "0.0.0.0:0", http_certificate: certificateFile, http_key: keyFile }));
  const url = none.url?.replace("0.0.0.0", "127.0.0.1") ?? "";
  expect(url).toMatch(/^https:/);
  const ca = authority.certificate;
  for (const path of ["/api/v1/status", "/events", "/metrics"]) expect((await ask(`${url}${path}`, { ca })).status, path).toBe(401);
  expect((await ask(`${url}/api/v1/status`, { ca, token: rig.token })).status).toBe(200);
  for (const path of ["/", "/healthz", "/api/v1/site"]) expect((await ask(`${url}${path}`, { ca })).status, path).toBe(200);
});

test("an address that is taken is told, and nothing is served", async () => {
  const log = memoryLog();
  await using second = await serveHttp({ ...rig.served, log }, resolveSettings({ http: rig.url.replace("http://", "") }));
  expect([second.url, log.lines.join()]).toEqual([null, expect.stringContaining("the address is taken")]);
  await second.settings(resolveSettings({ http: "127.0.0.1:0" }));
  await waitFor(() => second.url !== null, { what: "the other address" });
  expect((await ask(`${second.url}/healthz`)).text).toBe("ok\n");
  await second.settings(resolveSettings({ http: "off" }));
  expect(second.url).toBeNull();
});
