/** How much disk the deltas of a source take, and when they will take too much. Pure. */
export type Sample = { readonly at: number; readonly bytes: number };

export type Forecast = {
  readonly bytes: number;
  /** Bytes per second over the samples; 0 or less: not growing. */
  readonly growth: number;
  /** Seconds until the quota at this growth; 0: reached; null: never, or no quota. */
  readonly secondsLeft: number | null;
  readonly reached: boolean;
};

/** Samples kept, one per look: enough for a trend, short enough to follow a change. */
export const SAMPLES = 60;

export function addSample(samples: readonly Sample[], next: Sample): Sample[] {
  return [...samples, next].slice(-SAMPLES);
}

export function forecast(samples: readonly Sample[], quota: number | null): Forecast {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return { bytes: 0, growth: 0, secondsLeft: null, reached: false };
  const seconds = (last.at - first.at) / 1000;
  const growth = seconds > 0 ? (last.bytes - first.bytes) / seconds : 0;
  const reached = quota !== null && last.bytes >= quota;
  const secondsLeft = quota === null ? null : reached ? 0 : growth > 0 ? (quota - last.bytes) / growth : null;
  return { bytes: last.bytes, growth, secondsLeft, reached };
}

/** The worst first: which targets of a source hold deltas back, by what waits for them. */
export function worstHolder<Holder extends { readonly deltas: number }>(holders: readonly Holder[]): Holder | null {
  return holders.reduce<Holder | null>((worst, one) => (worst === null || one.deltas > worst.deltas ? one : worst), null);
}
