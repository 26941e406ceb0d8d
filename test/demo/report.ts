import { blank, bold, fact, green, integer, millis, red, seconds, section } from "./screen.ts";

export type Report = {
  readonly equal: boolean;
  readonly rows: number;
  /** Transactions of the application, on whichever side. */
  readonly commits: number;
  /** Longest times without a commit during the two switches to the new side, in ms. */
  readonly downtime: readonly [number, number];
  /** From `migrate start` to ready, in ms. */
  readonly move: number;
  readonly total: number;
};

export function report({ equal, rows, commits, downtime, move, total }: Report): void {
  section("Report");
  fact("both sides", equal ? green(`equal, ${integer(rows)} accounts`) : red("DIFFERENT"));
  fact("transactions meanwhile", `${integer(commits)}, none lost`);
  fact("until ready", seconds(move));
  fact("downtime", bold(millis(downtime[0])));
  fact("   the second time", millis(downtime[1]));
  fact("the whole demo", seconds(total));
  blank();
}
