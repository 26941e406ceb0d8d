import { deltaTable } from "../capture/name.ts";
import { waits } from "../capture/waits.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import { sql, type Statement } from "../postgres/sql.ts";
import type { BatchTable } from "../replicate/definition.ts";
import type { ProvenTable } from "./proven-table.ts";

/** A key with the hash of its row; null: the row is gone. */
export type TouchedKey = { readonly key: readonly string[]; readonly hash: string | null };

/** Keys of a table that were touched since `cutoff`, each with its row as the transaction sees it. */
export function touchedStatement(table: BatchTable, cutoff: Snapshot, { scans, key }: ProvenTable): Statement {
  const names = key.map((_, index) => `k${index + 1}`);
  const deltas = table.generations.map(
    (generation) => `select ${names.join(", ")} from ${quoteName(deltaTable(table.captured, generation))} where ${waits("xid", cutoff)}`,
  );
  const on = key.map(({ name, cast, equals }, index) => `t.${quoteIdent(name)}${cast} ${equals} d.k${index + 1}`).join(" and ");
  return sql(
    "verify.touched",
    `select pg_catalog.json_build_array(${names.map((name) => `d.${name}::text`).join(", ")}) as key,
            case when t.tableoid is not null then (${scans.source.rowHash})::text end as hash
       from (select distinct ${names.join(", ")} from (${deltas.join(" union all ")}) x) d left join ${scans.source.from} on ${on}`,
  );
}
