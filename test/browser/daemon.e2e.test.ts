import { expect, test } from "vitest";
import { keysOf, openHome } from "../e2e/home.ts";
import { createDatabase } from "../harness/database.ts";
import { freePort } from "../harness/port.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { createTransfers } from "../harness/transfers.ts";
import { waitFor } from "../harness/wait.ts";
import { writers } from "../harness/writers.ts";
import { violations } from "./accessibility.ts";
import { openPage } from "./browser.ts";

const SCHEMA = "create table public.note (id integer primary key, words text)";

test("a real daemon under load: what it carries, refuses, and how it comes back", { timeout: 180_000 }, async (context) => {
  await using source = await createDatabase(await sharedServer(15));
  await using target = await createDatabase(await sharedServer(18));
  await using control = await createDatabase(await sharedServer(18));
  await using home = await openHome(control);
  for (const database of [source, target]) {
    await database.query(SCHEMA);
    const client = await database.client();
    await createTransfers(client, 50);
    await client.end();
  }
  await home.ok("install --batch");
  await home.ok(`add db shop ${keysOf(source)}`);
  await home.ok(`add db copy ${keysOf(target)}`);
  await home.ok("add sync money tables=transfers_account dbs=shop:source,copy:target");
  await home.ok("add sync notes tables=note dbs=shop:source,copy:target on_error=set_aside");
  // The same port again, so that the page finds the daemon after its restart.
  const env = { BUCARDO_HTTP: `127.0.0.1:${await freePort()}` };
  await home.ok("start", { env });
  const link = (await home.ok("http token", { env })).split("\n")[1] ?? "";
  await using load = writers(source, { clients: 2, kind: "transfers", pauseMs: 20, tolerant: true });

  await using seen = await openPage(context, link);
  const { page } = seen;
  await page.getByText("All 2 syncs are in order.").waitFor();
  expect(await page.getByRole("link", { name: /^shop feeds copy: 2 syncs/ }).count()).toBe(1);
  await page.getByRole("link", { name: "money", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "money" }).waitFor();
  // Runs appear while they are made, with what they did to the table.
  await page.getByRole("group", { name: "Tables" }).getByText("public.transfers_account").waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Syncs paused: money").waitFor();
  const badge = page.locator(".page-head .badge");
  await badge.getByText("Paused").waitFor();
  await load.more(5);
  await waitFor(async () => /[1-9]\d* delta/.test(await page.getByRole("group", { name: "Targets" }).innerText()), {
    what: "the lag of a paused sync to grow",
  });
  await page.getByRole("button", { name: "Resume" }).click();
  await waitFor(async () => (await badge.innerText()) !== "Paused" && (await page.getByRole("button", { name: "Pause" }).count()) === 1, {
    what: "the sync to go on",
  });

  await target.query("alter table public.note add constraint polite check (words <> 'rude')");
  await source.query("insert into public.note values (1, 'rude'), (2, 'kind')");
  await page.getByRole("link", { name: "Bucardo, overview" }).click();
  await page.getByText("1 of 2 syncs needs you.").waitFor();
  await page.getByRole("link", { name: "notes", exact: true }).click();
  await page.getByRole("button", { name: "Show the rows" }).click();
  await page.getByText("The row", { exact: true }).click();
  await page.getByRole("group", { name: "Values of the row" }).getByText("rude").waitFor();
  expect(await violations(page)).toEqual([]);
  await target.query("alter table public.note drop constraint polite");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("None.", { exact: true }).waitFor();
  expect(await target.query("select id, words from public.note order by id")).toEqual([
    { id: 1, words: "rude" },
    { id: 2, words: "kind" },
  ]);

  await home.ok("stop", { env });
  await page.getByText("Not connected").waitFor();
  await home.ok("start", { env });
  await page.getByText("Not connected").waitFor({ state: "detached" });
  await page.getByText("Daemon up").waitFor();
  expect(seen.complaints).toEqual([]);
});
