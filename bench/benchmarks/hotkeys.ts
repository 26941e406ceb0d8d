import type { Benchmark } from "../benchmark.ts";
import { backlogCase } from "../backlog.ts";
import { ratioTarget } from "../target.ts";

const keys = 1000;

export const hotkeys: Benchmark = {
  name: "hotkeys",
  proves: "How long a target takes to become equal when the same few rows were changed very often.",
  begins: "everything is up and connected, all changes are committed on the source; what was held back is let go",
  ends: "the row that was changed last is visible on the target; then both sides are compared, row by row",
  warmUp: "a first change has arrived; tables are in the cache of both servers",
  peers: ["ours", "native", "pglogical", "bucardo5", "slony", "londiste"],
  cases: (context) => {
    const updates = context.quick ? 100_000 : 1_000_000;
    return [
      backlogCase(context, {
        name: "updates",
        setting: `${updates.toLocaleString("en-US")} updates, each transaction of the same ${keys.toLocaleString("en-US")} rows of 100,000; fsync off`,
        accounts: 100_000,
        targets: [
          ratioTarget("at most a tenth of native's time", { contender: "ours", to: "native", metric: "seconds", atMost: 0.1 }),
          ratioTarget("at most 0.3 of Bucardo 5's time", { contender: "ours", to: "bucardo5", metric: "seconds", atMost: 0.3 }),
        ],
        async change(source) {
          for (let done = 0; done < updates; done += keys) {
            await source.query(`update pgbench_accounts set abalance = abalance + 1 where aid <= ${keys}`);
            // As autovacuum would: the rows' dead versions are not what is measured.
            if (done % (100 * keys) === 0) await source.query("vacuum pgbench_accounts");
          }
        },
        without: {
          slony: "left out: it applies change by change and takes longer than a benchmark may",
          londiste: "left out: it applies change by change and takes longer than a benchmark may",
        },
      }),
    ];
  },
};
