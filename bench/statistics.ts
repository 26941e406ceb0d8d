/** The value in the middle; the mean of the two in the middle when their number is even. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** The smallest value that at least `share` (0 to 1) of all values do not exceed. NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

export type Spread = { readonly median: number; readonly min: number; readonly max: number; readonly count: number };

export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), count: values.length };
}

/** What one contender measured in one round. */
export type Sample = { readonly round: number; readonly contender: string; readonly values: Readonly<Record<string, number>> };

/** All values of a contender, in the order of the rounds. */
export function valuesOf(samples: readonly Sample[], contender: string, metric: string): number[] {
  return samples.flatMap((sample) => (sample.contender === contender ? (sample.values[metric] ?? []) : []));
}

/**
 * A contender's value divided by that of the reference in the same round, so that what disturbs a whole round disturbs no ratio.
 * Rounds in which one of both is missing are left out.
 */
export function ratios(samples: readonly Sample[], contender: string, reference: string, metric: string): number[] {
  const references = new Map(
    samples.filter((sample) => sample.contender === reference).map((sample) => [sample.round, sample.values[metric]] as const),
  );
  return samples.flatMap((sample) => {
    const value = sample.values[metric];
    const divisor = references.get(sample.round);
    return sample.contender !== contender || value === undefined || divisor === undefined ? [] : [value / divisor];
  });
}
