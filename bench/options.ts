import { parseArgs } from "node:util";

export type BenchOptions = {
  readonly names: readonly string[];
  readonly only: ReadonlySet<string> | null;
  readonly cases: ReadonlySet<string> | null;
  readonly rounds: number | null;
  readonly quick: boolean;
  readonly append: boolean;
  readonly save: boolean;
  readonly list: boolean;
  readonly report: boolean;
};

export const usage = `npm run bench [-- NAME ... [options]]

  --list             the benchmarks and what each proves
  --report           writes RESULTS.md anew from what is kept, after remarks were changed
  --only a,b         these contenders only: ours, none, native, bucardo5, pglogical, slony, londiste, ...
  --case a,b         these cases of the benchmarks only
  --rounds N         instead of the case's own (5; throughput: 15 short ones)
  --quick            two rounds, smaller tables, shorter loads: to compare two states of the code, not to quote
  --append           adds rounds to the kept result of the same case instead of replacing it
  --no-save          keeps no result (also implied by --quick)
`;

/** Throws a TypeError with a message for people when the arguments make no sense. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      list: { type: "boolean" },
      report: { type: "boolean" },
      only: { type: "string" },
      case: { type: "string" },
      rounds: { type: "string" },
      quick: { type: "boolean" },
      append: { type: "boolean" },
      "no-save": { type: "boolean" },
    },
  });
  const rounds = values.rounds === undefined ? null : Number(values.rounds);
  if (rounds !== null && !(Number.isInteger(rounds) && rounds > 0)) throw new TypeError("--rounds wants a whole number above 0");
  return {
    names: positionals,
    only: list(values.only),
    cases: list(values.case),
    rounds,
    quick: values.quick ?? false,
    append: values.append ?? false,
    save: !(values["no-save"] ?? values.quick ?? false),
    list: values.list ?? false,
    report: values.report ?? false,
  };
}

function list(text: string | undefined): ReadonlySet<string> | null {
  return text === undefined ? null : new Set(text.split(",").map((word) => word.trim()));
}
