import type { KeyColumn } from "../capture/key-column.ts";
import { quoteIdent } from "../postgres/quote.ts";
import { sql, type Statement } from "../postgres/sql.ts";
import { keyAndHash, type HashedRow, type Scan } from "./scan.ts";

export type Lookup = { readonly scan: Scan; readonly text: string };

/** Finds rows by lists of key values, one array per key column. `called`: what the scan calls the columns of the key. */
export function planLookup(scan: Scan, columns: readonly KeyColumn[], called: readonly string[] = columns.map(({ name }) => name)): Lookup {
  const names = columns.map((_, index) => `k${index}`);
  const matches = columns.map(({ type, equals }, index) => `t.${quoteIdent(called[index]!)} ${equals} w.k${index}::${type}`);
  return {
    scan,
    text: `select w.n - 1 as n, ${keyAndHash(scan)}
       from unnest(${names.map((_, index) => `$${index + 1}::text[]`).join(", ")}) with ordinality as w(${names.join(", ")}, n)
       join ${scan.from} on ${matches.join(" and ")}`,
  };
}

export function lookUpStatement({ scan, text }: Lookup, keys: readonly (readonly string[])[]): Statement {
  return sql(
    "verify.recheck",
    text,
    scan.key.map((_, index) => keys.map((key) => key[index])),
  );
}

/** Hashes by the number of the key in the list; a row that is not there is absent. */
export function hashesOf(rows: readonly object[]): Map<number, string> {
  return new Map((rows as (HashedRow & { n: number })[]).map((row) => [row.n, row.hash]));
}

export async function lookUp(lookup: Lookup, keys: readonly (readonly string[])[]): Promise<Map<number, string>> {
  return hashesOf(await lookup.scan.session.query(lookUpStatement(lookup, keys)));
}
