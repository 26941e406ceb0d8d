import type { TestDatabase } from "../../test/harness/database.ts";
import type { BenchContext, Benchmark, Case } from "../benchmark.ts";
import { backlogCase, transactions } from "../backlog.ts";
import { valueTarget } from "../target.ts";

export const memory: Benchmark = {
  name: "memory",
  proves: "The most memory the daemon ever has, whatever waits and however wide the rows are.",
  begins: "the daemon starts",
  ends: "everything that waited has arrived; the system's peak of its resident memory is read",
  warmUp: "none: the start belongs to it",
  peers: ["ours", "slony", "londiste", "bucardo5"],
  cases: (context) => {
    const million = context.quick ? 100_000 : 1_000_000;
    return [
      memoryCase(context, "1-million", `${million.toLocaleString("en-US")} updated rows`, million, (source) => update(source, million)),
      memoryCase(context, "5-million", `${(5 * million).toLocaleString("en-US")} updated rows`, 5 * million, (source) =>
        update(source, 5 * million),
      ),
      memoryCase(context, "wide-rows", "1,000 rows of 2 MiB each", 100_000, widen),
    ];
  },
};

function memoryCase(
  context: BenchContext,
  name: string,
  what: string,
  accounts: number,
  change: (source: TestDatabase) => Promise<void>,
): Case {
  const one = backlogCase(context, {
    name,
    accounts,
    setting: `${what} waiting; fsync off`,
    targets: [valueTarget("at most 200 MiB", { contender: "ours", metric: "memory", unit: "MiB", atMost: 200 })],
    change,
    prepare: name === "wide-rows" ? "alter table pgbench_accounts add column wide text" : undefined,
    timeoutMs: 900_000,
  });
  return { ...one, metrics: one.metrics.toReversed(), reference: null, rounds: context.quick ? 1 : 3 };
}

function update(source: TestDatabase, rows: number): Promise<void> {
  return transactions(
    source,
    rows,
    (first, last) => `update pgbench_accounts set abalance = abalance + 1 where aid between ${first} and ${last}`,
  );
}

function widen(source: TestDatabase): Promise<void> {
  return transactions(
    source,
    1000,
    (first, last) => `update pgbench_accounts set wide = repeat(md5(aid::text), 65536) where aid between ${first} and ${last}`,
  );
}
