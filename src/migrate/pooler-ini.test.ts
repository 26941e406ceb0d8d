import { expect, test } from "vitest";
import { countEntries, entryOf, repoint, restoreEntry } from "./pooler-ini.ts";

const ini = `; shop = host=comment
[databases]
shop = host=10.0.0.1 port=5432 dbname=shop user=app password='o''k host=x' pool_size=20
"odd ""name" = dbname='it''s'  host='/var/run/post gres'
shopping= host=1
* = host=fallback
[pgbouncer]
shop = host=not-this
`;
const place = { host: "new.example", port: 6543, dbname: "shop" };

test("host, port and dbname of one database change, the rest stays to the letter", () => {
  expect(repoint(ini, "shop", place)).toBe(
    ini.replace("host=10.0.0.1 port=5432 dbname=shop user", "host=new.example port=6543 dbname=shop user"),
  );
  expect(repoint(ini, 'odd "name', { host: "h", port: 1, dbname: "a b'c" })).toBe(
    ini.replace("dbname='it''s'  host='/var/run/post gres'", "dbname='a b''c'  host=h port=1"),
  );
  expect(repoint(ini, "shopping", place)).toBe(ini.replace("shopping= host=1", "shopping= host=new.example port=6543 dbname=shop"));
});

test("what was changed can be put back, and lines end as they did", () => {
  const windows = ini.replaceAll("\n", "\r\n");
  expect(restoreEntry(repoint(windows, "shop", place), "shop", entryOf(windows, "shop")!)).toBe(windows);
  expect(repoint(windows, "shop", place)).toContain("pool_size=20\r\n");
});

test("a database that is not declared, or twice, is not guessed at", () => {
  expect(countEntries(ini, "shop")).toBe(1);
  expect(entryOf(ini, "other")).toBeNull();
  expect(repoint(ini, "other", place)).toBe(ini);
  expect(entryOf(ini.replace("* =", "shop ="), "shop")).toBeNull();
});
