import type { TestDatabase } from "../../test/harness/database.ts";
import type { BenchContext, Benchmark, Case, Target } from "../benchmark.ts";
import { backlogCase, batches, transactions } from "../backlog.ts";
import { belowAllTarget, ratioTarget } from "../target.ts";

const rivals = ["pglogical", "slony", "londiste", "bucardo5"];

export const catchup: Benchmark = {
  name: "catchup",
  proves: "How long a target takes to become equal when many changed rows are waiting.",
  begins: "everything is up and connected, all changes are committed on the source; what was held back is let go",
  ends: "the row that was changed last is visible on the target; then both sides are compared, row by row",
  warmUp: "a first change has arrived; tables are in the cache of both servers",
  peers: ["ours", "native", ...rivals],
  cases: (context) => {
    const rows = context.quick ? 200_000 : 1_000_000;
    return [
      catchupCase(context, "updates", rows, rows, update),
      catchupCase(context, "inserts", rows, 0, insert),
      catchupCase(context, "deletes", rows / 5, rows, remove),
    ];
  },
};

function catchupCase(context: BenchContext, name: string, rows: number, before: number, change: typeof update): Case {
  const targets: Target[] = [
    ...(name === "deletes"
      ? []
      : [ratioTarget("at most native's time", { contender: "ours", to: "native", metric: "seconds", atMost: 1 })]),
    belowAllTarget("below all others", { contender: "ours", others: rivals, metric: "seconds" }),
    ratioTarget("at most a tenth of Bucardo 5's time", { contender: "ours", to: "bucardo5", metric: "seconds", atMost: 0.1 }),
  ];
  return backlogCase(context, {
    name,
    setting: `${rows.toLocaleString("en-US")} rows of pgbench_accounts (${before.toLocaleString("en-US")} before), ${batches} transactions; fsync off`,
    accounts: before,
    targets,
    change: (source) => change(source, rows),
  });
}

function update(source: TestDatabase, rows: number): Promise<void> {
  return transactions(
    source,
    rows,
    (first, last) => `update pgbench_accounts set abalance = abalance + 1 where aid between ${first} and ${last}`,
  );
}

function insert(source: TestDatabase, rows: number): Promise<void> {
  return transactions(
    source,
    rows,
    (first, last) => `insert into pgbench_accounts select n, (n - 1) / 100000 + 1, 0, '' from generate_series(${first}, ${last}) n`,
  );
}

function remove(source: TestDatabase, rows: number): Promise<void> {
  return transactions(source, rows, (first, last) => `delete from pgbench_accounts where aid between ${first} and ${last}`);
}
