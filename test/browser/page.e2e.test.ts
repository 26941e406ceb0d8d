import { afterAll, beforeAll, expect, test } from "vitest";
import { waitFor } from "../harness/wait.ts";
import { violations } from "./accessibility.ts";
import { openPage } from "./browser.ts";
import { openFixture, type Fixture, type FixtureOptions } from "./fixture-server.ts";
import { madeUpMove, madeUpRuns, madeUpSamples, madeUpSnapshot } from "./made-up.ts";

const ASIDE = {
  rows: [
    {
      id: 17,
      target: "shop_00_copy",
      table: "public.orders",
      kind: "refused",
      columns: ["id"],
      key: ["41"],
      image: { id: "41", customer: "Ada", note: null },
      sqlstate: "23505",
      message: "refused by unique index x",
      noted: new Date().toISOString(),
      replay: false,
    },
  ],
};

const options: FixtureOptions = {
  snapshot: madeUpSnapshot(200),
  token: "s3cret",
  answers: {
    "list/runs": { runs: madeUpRuns(10_000) },
    "list/samples": madeUpSamples(),
    "migrate/samples": {
      samples: Array.from({ length: 60 }, (_one, index) => ({
        at: new Date(Date.now() - (60 - index) * 10_000).toISOString(),
        phase: index < 50 ? "copy" : "catch-up",
        done: index,
        rate: 1e8 + index * 1e5,
        deltas: index * 40,
      })),
    },
    "list/set-aside": ASIDE,
    show: {
      settings: [
        { name: "log_level", value: "debug", default: "normal", changed: true, meaning: "How much is written to the log.", legacy: false },
      ],
    },
    kick: { syncs: [{ sync: "x", outcome: "kicked" }] },
    pause: { messages: ["Syncs paused: x"], changed: ["x"] },
    replay: { messages: [], rows: [17] },
    "migrate/cutover": { outcome: "switched", downtimeMs: 214, why: null },
  },
};

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture(options);
}, 180_000); // a build may come first
afterAll(() => fixture[Symbol.asyncDispose]());

/** A stopped one, one with rows set aside, and a good one. */
const [BAD, ASIDE_SYNC, GOOD] = [5, 6, 0].map((index) => options.snapshot.syncs[index]!.name) as [string, string, string];

test("200 syncs: the whole in a sentence, a picture of what matters, and a list that can be narrowed", async (context) => {
  await using seen = await openPage(context, fixture.url);
  const { page } = seen;
  await page.getByText(/^\S+ of 200 syncs need you\.$/).waitFor();
  const rows = page.getByRole("group", { name: "Syncs" }).locator("tbody tr");
  expect(await rows.count()).toBe(200);
  expect(await rows.first().innerText()).toContain("Stopped");
  expect(await page.locator(".picture svg .db").count()).toBeLessThanOrEqual(24);

  await page.getByRole("searchbox", { name: "Find a sync" }).fill("shop_07");
  await waitFor(async () => (await rows.count()) === 4, { what: "the list to be narrowed" });
  expect(await page.locator(".picture svg .db-name").allTextContents()).toEqual(
    expect.arrayContaining(["shop_07", "shop_07_copy", "warehouse"]),
  );
  await page.getByRole("searchbox", { name: "Find a sync" }).fill("");
  await page.getByRole("button", { name: /^Running/ }).click();
  await waitFor(async () => (await rows.count()) < 40, { what: "the running ones" });
  expect(new Set(await rows.locator(".badge").allTextContents())).toEqual(new Set(["▶Fetching"]));
  expect(seen.complaints).toEqual([]);
});

test("what changes arrives without disturbing who types; what is bad is said once", async (context) => {
  await using seen = await openPage(context, fixture.url);
  const { page } = seen;
  const search = page.getByRole("searchbox", { name: "Find a sync" });
  await search.pressSequentially("shop_0");
  const first = options.snapshot.syncs.find(({ name }) => name === GOOD)!;
  fixture.send({ event: "change", data: { at: new Date().toISOString(), syncs: { put: [{ ...first, word: "Stopped" }], gone: [] } } });
  await page.locator("tr", { hasText: GOOD }).getByText("Stopped").waitFor();
  expect([await search.inputValue(), await page.evaluate("document.activeElement.type")]).toEqual(["shop_0", "search"]);
  await page.getByRole("status").getByText(`Sync ${GOOD}: Stopped.`).waitFor({ state: "attached" });
  expect(await page.title()).toMatch(/^\(\d+\) Overview/);
  fixture.send({ event: "change", data: { at: new Date().toISOString(), syncs: { put: [first], gone: [] } } });
  await page.getByRole("status").getByText(`Sync ${GOOD} is good again.`).waitFor({ state: "attached" });
});

test("by keyboard: past the head, into the list, to a sync and back; the focus is where one is", async (context) => {
  await using seen = await openPage(context, fixture.url);
  const { page } = seen;
  await page.getByText(/syncs need you/).waitFor();
  const focused = (): Promise<string> =>
    page.evaluate("document.activeElement.id || document.activeElement.innerText || document.activeElement.tagName");
  await page.keyboard.press("Tab");
  expect(await focused()).toBe("Skip to the content");
  await page.keyboard.press("Enter");
  expect(await focused()).toBe("main");
  await page.getByRole("link", { name: BAD, exact: true }).first().focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: BAD }).waitFor();
  await waitFor(async () => (await focused()) === BAD, { what: "the heading to have the focus" });
  await page.getByText("Another row of the target has the same number.").first().waitFor();
  await page.goBack();
  await page.getByText(/syncs need you/).waitFor();
});

test("10 000 tables: only those in sight are drawn, and the last is reached", async (context) => {
  await using seen = await openPage(context, `${fixture.url}#/syncs/${GOOD}`);
  const { page } = seen;
  const box = page.getByRole("group", { name: "Tables" });
  await box.getByText("public.part_").first().waitFor();
  expect(await box.locator("tbody tr").count()).toBeLessThan(60);
  expect(await box.locator("table").getAttribute("aria-rowcount")).toBe("10001");
  await page.evaluate("document.querySelector('.windowed').scrollTop = 1e9");
  await waitFor(async () => (await box.locator("tbody tr[aria-rowindex='10001']").count()) === 1, { what: "the last table" });
  await page.getByRole("searchbox", { name: "Find a table" }).fill("part_07777");
  await box.getByText("public.part_07777").waitFor();
  // What a plot shows stands in a table too.
  await page.getByText("Deltas waiting as a table").click();
  const values = page.getByRole("group", { name: "Deltas waiting as a table" }).locator("tbody tr");
  await waitFor(async () => (await values.count()) > 20, { what: "the values of the plot" });
  expect(seen.complaints).toEqual([]);
});

test("the token: asked for where it is needed, sent in the header, kept out of the address; a link brings it", async (context) => {
  await using seen = await openPage(context, `${fixture.url}#/syncs/${ASIDE_SYNC}`);
  const { page } = seen;
  await page.getByRole("button", { name: "Kick" }).click();
  const dialog = page.getByRole("dialog", { name: "Token" });
  await dialog.waitFor();
  await page.keyboard.press("Escape");
  await waitFor(async () => (await dialog.count()) === 0, { what: "the dialog to close" });
  await page.getByRole("button", { name: "Show the rows" }).click();
  await dialog.getByLabel("Token").fill("s3cret");
  await page.keyboard.press("Enter");
  await page.getByText("The row", { exact: true }).click();
  await page.getByText("Ada").waitFor();
  await page.getByRole("button", { name: "Kick" }).click();
  await page.getByText("Kicked: it runs now.").waitFor();
  expect(fixture.posted.at(-1)).toEqual({ path: "kick", body: { syncs: [ASIDE_SYNC] }, authorization: "Bearer s3cret" });
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("Row 17 goes with the next run.").waitFor();
  expect(page.url()).not.toContain("s3cret");

  await using linked = await openPage(context, `${fixture.url}#token=s3cret`);
  await linked.page.getByRole("button", { name: "Forget token" }).waitFor();
  expect(linked.page.url()).toBe(`${fixture.url}#/`);
});

test("a cutover wants the name of the database that is left", async (context) => {
  await using seen = await openPage(context, `${fixture.url}#token=s3cret`);
  const { page } = seen;
  await page.getByText(/syncs need you/).waitFor();
  fixture.send({ event: "change", data: { at: new Date().toISOString(), migration: madeUpMove(true) } });
  await page.getByRole("link", { name: "Move", exact: true }).click();
  await page.getByText("Ready for the cutover").waitFor();
  await page.getByText("2 tables have no statistics").waitFor();
  await page.getByRole("button", { name: "Cut over…" }).click();
  const dialog = page.getByRole("dialog", { name: "Cut over to the new side?" });
  const before = fixture.posted.length;
  await dialog.getByLabel("Type the name of the database").fill("shop_new");
  await page.keyboard.press("Enter");
  expect(await dialog.isVisible()).toBe(true);
  await dialog.getByLabel("Type the name of the database").fill("shop");
  await page.keyboard.press("Enter");
  await page.getByText("Switched over. Writers waited 214 ms.").waitFor();
  expect(fixture.posted.slice(before)).toEqual([{ path: "migrate/cutover", body: { confirm: "shop" }, authorization: "Bearer s3cret" }]);
});

test("when the server goes away the page says so, keeps what it had, and comes back by itself", async (context) => {
  await using own = await openFixture({ ...options, snapshot: madeUpSnapshot(1) });
  await using seen = await openPage(context, own.url);
  const { page } = seen;
  await page.getByText("The sync is in order.").waitFor();
  await own.stop();
  await page.getByText("Not connected").waitFor();
  expect(await page.getByText("The sync is in order.").isVisible()).toBe(true);
  await own.start();
  await waitFor(async () => (await page.getByText("Not connected").count()) === 0, { what: "the page to connect again" });
  await page.getByRole("status").getByText("Connected again.").waitFor({ state: "attached" });
  expect(seen.complaints).toEqual([]);
});

const PLACES = { overview: "", sync: `syncs/${BAD}`, aside: `syncs/${ASIDE_SYNC}`, move: "move", settings: "settings" };

test.for([1280, 400])("nobody is shut out, and nothing sticks out, light and dark: %i px", async (width, context) => {
  const { answers } = options;
  await using small = await openFixture({ snapshot: madeUpSnapshot(12), answers: { ...answers, "list/runs": { runs: madeUpRuns(20) } } });
  await using seen = await openPage(context, small.url, { width });
  const { page } = seen;
  for (const [name, place] of Object.entries(PLACES)) {
    await page.goto(`${small.url}#/${place}`);
    await page.locator("main h1").waitFor({ state: "attached" });
    await waitFor(async () => (await page.getByText("Loading…").count()) === 0, { what: `${name} to be loaded` });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const shots = process.env["BUCARDO_SHOTS"];
      if (shots !== undefined) await page.screenshot({ path: `${shots}/${name}-${width}-${colorScheme}.png`, fullPage: true });
      // The other rules do not know about colours.
      expect(await violations(page, colorScheme === "dark" ? ["color-contrast"] : null), `${name} at ${width} px, ${colorScheme}`).toEqual(
        [],
      );
    }
    expect(await page.evaluate("document.documentElement.scrollWidth"), `${name} is too wide`).toBeLessThanOrEqual(width);
  }
  expect(seen.complaints).toEqual([]);
});
