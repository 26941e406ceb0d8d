import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { resolveSettings } from "../../src/config/setting.ts";
import { readOrMakeToken } from "../../src/config/token.ts";
import { serveHttp } from "../../src/http/place.ts";
import type { Change, MigrationSamples, MigrationView, Snapshot } from "../../src/http/page-types.ts";
import { line } from "../cli/line.ts";
import { memoryLog } from "../daemon/memory-log.ts";
import { createDatabase } from "../harness/database.ts";
import { scratch } from "../harness/scratch.ts";
import { startServer } from "../harness/server.ts";
import { waitFor } from "../harness/wait.ts";
import { ask, Listener } from "./ask.ts";

/** Every state of the move that a page was told, oldest first. */
function told(page: Listener): readonly (MigrationView | null)[] {
  return page.heard.flatMap(({ event, data }) => {
    if (event !== "snapshot" && event !== "change") return [];
    const { migration } = data as Snapshot | Change;
    return migration === undefined ? [] : [migration];
  });
}

test(
  "a page follows a move without a daemon or a control database, and moves the writers when a person types the name",
  { timeout: 120_000 },
  async () => {
    await using home = await scratch();
    await using server = await startServer({ major: 16 });
    await using old = await createDatabase(server, { name: "shop" });
    await using young = await createDatabase(server, { name: "shop_new" });
    await old.query(
      "create table account (id integer primary key, name text); insert into account select n, 'x' from generate_series(1, 1000) n",
    );
    const env = { HOME: home.path, BUCARDO_FROM: old.url, BUCARDO_TO: young.url };
    const config = loadConfig({ argvOptions: {}, env, cwd: home.path, home: home.path });
    const served = {
      program: "bucardo",
      version: "test",
      config,
      env,
      cwd: home.path,
      log: memoryLog(),
      daemon: null,
      control: false,
      move: null,
    };
    await using serving = await serveHttp(served, resolveSettings({ http: "127.0.0.1:0" }));
    const url = serving.url ?? "";
    const token = readOrMakeToken(join(home.path, ".bucardo", "http-token"));

    using page = await Listener.open(`${url}/events`);
    await waitFor(() => page.heard.length > 0, { what: "the snapshot" });
    expect(page.heard[0]?.data).toMatchObject({
      site: { by: "alone", hasControl: false, hasMigration: true },
      daemon: null,
      migration: null,
    });
    expect((await ask(`${url}/api/v1/status`)).status).toBe(503);

    const started = await line(["migrate", "start"], { home: home.path, env });
    expect(started, started.err).toMatchObject({ code: 0 });
    const now = (): MigrationView | null => told(page).at(-1) ?? null;
    await waitFor(() => now()?.next === "cutover", { what: "the page to say that it is ready" });
    expect(now()).toMatchObject({
      phase: "ready",
      openSide: "old",
      fromDatabase: "shop",
      toDatabase: "shop_new",
      tables: 1,
      working: null,
      turn: null,
    });
    expect(now()?.phases.map(({ state }) => state)).toEqual(Array.from({ length: 10 }, () => "done"));
    const samples = (await ask(`${url}/api/v1/migrate/samples`)).json()["output"] as unknown as MigrationSamples;
    expect(samples.samples.length).toBeGreaterThan(0);

    const turn = (json: object, more: object = {}) => ask(`${url}/api/v1/migrate/cutover`, { json, token, ...more });
    const code = async (answer: ReturnType<typeof turn>) => (await answer).json()["error"]?.["code"];
    expect((await ask(`${url}/api/v1/migrate/cutover`, { json: { confirm: "shop" } })).status).toBe(401);
    expect(await code(turn({}))).toBe("declined");
    expect(await code(turn({ confirm: "shop_new" }))).toBe("declined");
    expect(await code(turn({ confirm: "shop", yes: true }))).toBe("http-refused");
    expect(await code(turn({ confirm: "shop" }, { headers: { origin: "https://evil.example.org" } }))).toBe("http-origin");
    expect((await turn({ rehearse: true })).json()).toMatchObject({ ok: true, output: { outcome: "rehearsed" } });
    await waitFor(() => now()?.turn?.outcome === "rehearsed", { what: "the page to hear of it" });
    expect(now()).toMatchObject({ openSide: "old", turn: { rehearsal: true, error: null } });
    // While it went on the page was told of gates and steps as they came.
    const middle = told(page).findLast((one) => one?.turn?.ended === null && one.turn.rehearsal && one.turn.timings.length > 0);
    expect(middle?.turn?.gates.map(({ name }) => name)).toContain("lag");

    const done = (await turn({ confirm: "shop", budget: 60 })).json();
    expect(done).toMatchObject({ ok: true, output: { outcome: "switched", from: expect.stringContaining("/shop") } });
    // The cutover notes which side is open a moment before it ends.
    await waitFor(() => now()?.next === "switchback" && now()?.turn?.outcome === "switched", { what: "the page to see it" });
    expect(now()).toMatchObject({ openSide: "new", turn: { direction: "cutover", rehearsal: false, outcome: "switched" } });
    await expect(old.query("update account set name = 'y' where id = 1")).rejects.toThrow();
    await young.query("update account set name = 'y' where id = 1");
    expect(await code(turn({ confirm: "shop" }))).toBe("in-use");
    await waitFor(() => now()?.turn?.outcome === "failed", { what: "the page to hear of that too" });
    expect(now()?.turn?.error).toMatchObject({ code: "in-use" });
  },
);
