import { expect, test } from "vitest";
import { keysOf, openHome } from "../e2e/home.ts";
import { createDatabase } from "../harness/database.ts";
import { freePort } from "../harness/port.ts";
import { sharedServer } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";
import { violations } from "./accessibility.ts";
import { openPage } from "./browser.ts";

const SCHEMA = `create table person (id integer primary key, email text unique, name text, credit numeric, seen timestamptz);
  create table account (id integer primary key, owner text, balance integer)`;

test("rows that were in conflict, and rows that are set aside, of a real daemon: both images, told and changed by a person", async (context) => {
  await using east = await createDatabase(await sharedServer(15));
  await using west = await createDatabase(await sharedServer(18));
  await using copy = await createDatabase(await sharedServer(18));
  await using control = await createDatabase(await sharedServer(18));
  await using home = await openHome(control);
  for (const database of [east, west, copy]) await database.query(SCHEMA);
  await home.ok("install --batch");
  for (const [name, database] of Object.entries({ east, west, copy })) await home.ok(`add db ${name} ${keysOf(database)}`);
  await home.ok(
    "add sync shop tables=person,account dbs=east:source,west:source,copy:target autokick=0 conflict_strategy=east on_error=set_aside",
  );
  const env = { BUCARDO_HTTP: `127.0.0.1:${await freePort()}` };
  await home.ok("start", { env });
  const arrived = async (): Promise<void> => expect(await home.run("kick shop 60")).toMatchObject({ code: 0 });

  await east.query("insert into account values (1, 'Ada', 10), (2, 'Grace', 20)");
  await arrived();
  expect(await west.query("select id from account order by id")).toEqual([{ id: 1 }, { id: 2 }]);
  // Changed on both; deleted on the one and changed on the other; one e-mail under two numbers; refused by the target.
  await east.query("update account set balance = 11 where id = 1; delete from account where id = 2");
  await west.query(
    "update account set balance = 12, owner = 'Ada of the west, with a name that is longer than a narrow page' where id = 1",
  );
  await west.query("update account set balance = 21 where id = 2");
  await east.query("insert into person values (1, 'same@example.com', 'from the east', 7.5, null)");
  await west.query("insert into person values (2, 'same@example.com', 'from the west', null, '2026-01-02 03:04:05+00')");
  await copy.query("alter table account add constraint no_debt check (balance >= 0)");
  await east.query("insert into account values (3, 'Edsger', -30)");
  await arrived();
  await arrived();

  const link = (await home.ok("http token", { env })).split("\n")[1] ?? "";
  await using seen = await openPage(context, link);
  const { page } = seen;
  await page.getByRole("link", { name: "shop", exact: true }).first().click();
  await page.getByRole("heading", { level: 1, name: "shop" }).waitFor();
  await page.getByRole("button", { name: "Show the conflicts" }).click();
  const changed = page.getByRole("article", { name: "public.account, id = 1" });
  const deleted = page.getByRole("article", { name: "public.account, id = 2" });
  const unique = page.getByRole("article", { name: /^public\.person, id = [12] met id = [12]$/ });
  for (const article of [changed, deleted, unique]) {
    await article.getByText("east won").waitFor();
    await article.getByText("Both rows").click();
  }
  /** Columns, east's, west's: whichever of them came to the other. */
  const valuesOf = async (article: typeof changed): Promise<string[][]> => {
    const rows = await article.getByRole("group", { name: "Values of the row" }).locator("tr").all();
    const cells = await Promise.all(rows.map((row) => row.locator("th, td").allInnerTexts()));
    const order = cells[0]?.[1]?.startsWith("east") === true ? [0, 1, 2] : [0, 2, 1];
    return cells.map((row) => order.map((index) => row[index]?.replaceAll(/\s+/g, " ").replace(/, .*\d\d:\d\d.*$/, "") ?? ""));
  };
  expect(await valuesOf(changed)).toEqual([
    ["Column", "east", "west"],
    ["id", "1", "1"],
    ["owner (differs)", "Ada", "Ada of the west, with a name that is longer than a narrow page"],
    ["balance (differs)", "11", "12"],
  ]);
  expect((await valuesOf(deleted)).at(-1)).toEqual(["balance (differs)", "(no row)", "21"]);
  expect((await valuesOf(unique)).slice(1, 5)).toEqual([
    ["id (differs)", "1", "2"],
    ["email", "same@example.com", "same@example.com"],
    ["name (differs)", "from the east", "from the west"],
    ["credit (differs)", "7.5", "NULL"],
  ]);
  await page.getByRole("button", { name: "Show the rows" }).click();
  const refused = page.getByRole("article", { name: "public.account, id = 3" });
  await refused.getByText("The row", { exact: true }).click();
  await refused.getByRole("group", { name: "Values of the row" }).getByText("Edsger").waitFor();
  await refused.getByText("no_debt").first().waitFor();

  for (const width of [1280, 400]) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const shots = process.env["BUCARDO_SHOTS"];
      if (shots !== undefined) await page.screenshot({ path: `${shots}/rows-${width}-${colorScheme}.png`, fullPage: true });
      expect(await violations(page), `${width} px, ${colorScheme}`).toEqual([]);
    }
    expect(await page.evaluate("document.documentElement.scrollWidth"), "too wide").toBeLessThanOrEqual(width);
  }

  await changed.getByRole("button", { name: "Write back the row of west" }).click();
  await page.getByText("The row as west had it is written back.").waitFor();
  await changed.getByText("written back").first().waitFor();
  for (const database of [east, west, copy])
    await waitFor(async () => (await database.query("select from account where id = 1 and balance = 12")).length === 1, {
      what: "the row of the west to be everywhere",
    });
  await refused.getByRole("button", { name: "Discard" }).click();
  await page.getByText("None.", { exact: true }).waitFor();
  expect(await home.ok("list set-aside shop")).toContain("No rows");
  expect(seen.complaints).toEqual([]);
}, 180_000);
