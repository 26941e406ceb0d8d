import { chunks } from "../base/chunks.ts";
import { copyBetween } from "../postgres/copy.ts";
import { quoteLiteral } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { CONFLICTS, type Meeting } from "./conflict-find.ts";
import { copyFormat, keysText } from "./fetch-text.ts";

const AT_ONCE = 500;

/**
 * Rows here that gave way to others with the same unique value become what the source has under their keys: an older version of them, or nothing. From the
 * run's snapshot, in which the rows that won were read too.
 */
export async function fetchLosers(source: Session, target: Session, { fetched }: Meeting, signal: AbortSignal): Promise<void> {
  const { link, stage, plan } = fetched;
  const rows = await target.query<{ key: string[] }>(
    sql(
      "replicate.losers",
      `select distinct local_key as key from ${CONFLICTS} where captured = $1 and kind = 'unique' and winner = 'incoming' and not closed`,
      [plan.table.captured],
    ),
  );
  for (const some of chunks(rows, AT_ONCE)) {
    const keys = some.map(
      ({ key }) => `(${key.map((value, index) => `${quoteLiteral(value)}::${link.source.key[index]!.type}`).join(", ")})`,
    );
    await copyBetween({
      from: source,
      fromText: sql("replicate.fetch-losers", keysText(link, `values ${keys.join(", ")}`)),
      to: target,
      toText: sql("replicate.stage-losers", `copy ${stage} from stdin${copyFormat(link)}`),
      signal,
    });
  }
}
