import { deltaTable } from "../capture/name.ts";
import { waits } from "../capture/waits.ts";
import { parseSnapshot, type Snapshot } from "../model/snapshot.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { newestOf, notVia, stampsText } from "./fetch-text.ts";
import { stageColumn } from "./relay.ts";
import type { TableLink } from "./table-link.ts";

/** What waits on the target itself for the source, of one captured table. */
export type Reverse = {
  readonly captured: number;
  readonly key: readonly string[];
  readonly generations: readonly number[];
  /** Of every sync that carries it there. */
  readonly cutoffs: readonly Snapshot[];
  /** Emptied on the target, and the source does not know yet. */
  readonly truncated: boolean;
};

type Row = { captured: number; cutoffs: string[]; generations: number[]; truncations: number[] };

/** In the target's own snapshot, in which the rows are written too (hazard 4). By captured table of the link; absent: nothing is sent back. */
export async function readReverse(target: Session, source: string, links: readonly TableLink[]): Promise<Map<TableLink, Reverse>> {
  const ids = links.flatMap(({ relays }) => relays.map(({ captured }) => captured));
  if (ids.length === 0) return new Map();
  const rows = await target.query<Row>(
    sql(
      "replicate.reverse",
      `select s.captured_table as captured, array_agg(distinct coalesce(s.since, c.snapshot)) as cutoffs,
              array(select g.generation from bucardo.generation g
                     where g.captured_table = s.captured_table and pg_relation_size(g.delta) is distinct from 0 order by 1) as generations,
              array(select x.xid from bucardo.truncation x where x.captured_table = s.captured_table) as truncations
         from bucardo.subscription s join bucardo.checkpoint c using (sync, target)
        where s.target = $1 and s.joined and c.snapshot is not null and s.captured_table = any ($2::int[])
        group by s.captured_table`,
      [source, ids],
    ),
  );
  const byId = new Map(rows.map((row) => [row.captured, row]));
  return new Map(
    links.flatMap((link): [TableLink, Reverse][] => {
      const relay = link.relays.find(({ captured }) => byId.has(captured));
      return relay === undefined ? [] : [[link, reverseOf(relay.key, byId.get(relay.captured)!)]];
    }),
  );
}

function reverseOf(key: readonly string[], { captured, cutoffs, generations, truncations }: Row): Reverse {
  const snapshots = cutoffs.map(parseSnapshot);
  const truncated = truncations.some((xid) => snapshots.some(({ xmax, xip }) => xid >= xmax || xip.includes(xid)));
  return { captured, key, generations, cutoffs: snapshots, truncated };
}

/** Keys (k1 ..) that wait for the source, each once with the stamps of its last change; null: none. */
export function reverseText({ captured, key, generations, cutoffs }: Reverse, source: string, commitTimes: boolean): string | null {
  if (generations.length === 0) return null;
  const keys = key.map((_, index) => `k${index + 1}`);
  const waiting = cutoffs.map((cutoff) => waits("xid", cutoff)).join(" or ");
  const parts = generations.map(
    (generation) =>
      `select ${keys.join(", ")}, ${stampsText(commitTimes)} from ${quoteName(deltaTable(captured, generation))} where (${waiting})${notVia(source)}`,
  );
  return newestOf(keys, parts.join(" union all "));
}

/** Joins its keys (`r`) to rows of the table (`t`) or of its stage (`s`). */
export function onReverse(link: TableLink, { key }: Reverse, row: "s" | "t"): string {
  return key
    .map((name, index) => {
      const column = link.target.key.find((each) => each.name === name)!;
      const there = row === "t" ? `t.${quoteIdent(name)}${column.cast}` : `s.${stageColumn(link, name)}`;
      return `${there} ${column.equals} r.k${index + 1}`;
    })
    .join(" and ");
}
