import { deltaTable } from "../capture/name.ts";
import { waits } from "../capture/waits.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql, type Statement } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
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

/** How many of these keys were touched since a snapshot, as of now. */
export async function touchedAmong(
  source: Session,
  captured: number,
  since: Snapshot,
  { key }: Pick<ProvenTable, "key">,
  keys: readonly (readonly string[])[],
): Promise<number> {
  return transaction(source, { isolation: "repeatable read", readOnly: true }, async () => {
    // A delta of a generation that is not in this snapshot is not in it either.
    const generations = await source.query<{ generation: number }>(
      sql("verify.generations", "select generation from bucardo.generation where captured_table = $1", [captured]),
    );
    const names = key.map((_, index) => `k${index + 1}`);
    const deltas = generations.map(
      ({ generation }) => `select ${names.join(", ")} from ${quoteName(deltaTable(captured, generation))} where ${waits("xid", since)}`,
    );
    if (deltas.length === 0) return 0;
    const on = key.map(({ type, equals }, index) => `d.k${index + 1} ${equals} w.k${index + 1}::${type}`).join(" and ");
    const { touched } = await source.one<{ touched: number }>(
      sql(
        "verify.touched-among",
        `select count(*)::int as touched from unnest(${names.map((_, index) => `$${index + 1}::text[]`).join(", ")}) as w (${names.join(", ")})
          where exists (select from (${deltas.join(" union all ")}) d where ${on})`,
        names.map((_, index) => keys.map((each) => each[index])),
      ),
    );
    return touched;
  });
}
