import { blank, bold, fact, green, integer, millis, red, seconds, section } from "./screen.ts";

export type Report = {
  readonly equal: boolean;
  readonly rows: number;
  /** Transactions since the capture began; each changes one account. */
  readonly changes: number;
  readonly mostWaiting: number;
  /** ms from the last commit on the old server to the first on the new one, by part; the proof in between is not in it. */
  readonly downtime: { readonly kick: number; readonly tables: number; readonly application: number };
  readonly proof: number;
  readonly total: number;
};

export function report({ equal, rows, changes, mostWaiting, downtime, proof, total }: Report): void {
  const sum = downtime.kick + downtime.tables + downtime.application;
  section("Report");
  fact("both sides", equal ? green(`equal, ${integer(rows)} rows of 4 tables`) : red("DIFFERENT"));
  fact("changes caught up", integer(changes));
  fact("most rows waiting", integer(mostWaiting));
  fact("downtime", bold(millis(sum)));
  fact("   the last kick", millis(downtime.kick));
  fact("   the small tables", millis(downtime.tables));
  fact("   the first new commit", millis(downtime.application));
  fact("the proof, not counted in it", millis(proof));
  fact("the whole demo", seconds(total));
  blank();
}
