import { chunks } from "../base/chunks.ts";
import { deltaTable } from "../capture/name.ts";
import { waits } from "../capture/waits.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql, type Statement } from "../postgres/sql.ts";

/** The server plans a chain of selects in a time that grows with its square, and refuses one of some thousands. */
const COUNTED_AT_ONCE = 200;

/** A delta table, and what of it does not wait. */
export type Part = { readonly captured: number; readonly generation: number; readonly cutoff: Snapshot };

export type Counted = { readonly captured: number; readonly deltas: number };

/** A few statements for all these generations: waiting deltas of each. */
export async function countPending(source: Session, parts: readonly Part[]): Promise<Counted[]> {
  const counted: Counted[] = [];
  for (const some of chunks(parts, COUNTED_AT_ONCE)) counted.push(...(await source.query<Counted>(counting(some))));
  return counted;
}

/** For not too many; its rows are Counted. */
export function counting(parts: readonly Part[]): Statement {
  const text = parts
    .map(
      ({ captured, generation, cutoff }) =>
        `select ${captured} as captured, count(*) as deltas from ${quoteName(deltaTable(captured, generation))} d where ${waits("d.xid", cutoff)}`,
    )
    .join("\nunion all ");
  return sql("replicate.count-pending", text);
}
