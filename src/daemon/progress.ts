/** Passes at most one report per `everyMs` on, the latest; `stop` drops what is left. The first goes at once. */
export function throttled<Report>(
  everyMs: number,
  report: (latest: Report) => Promise<void>,
): { push(latest: Report): void; stop(): void } {
  let latest: { readonly report: Report } | null = null;
  let timer: NodeJS.Timeout | null = null;
  let sending = false;
  const send = (): void => {
    timer = null;
    if (latest === null || sending) return;
    const { report: now } = latest;
    latest = null;
    sending = true;
    void report(now)
      .catch(() => undefined)
      .finally(() => {
        sending = false;
        if (latest !== null && timer === null) timer = setTimeout(send, everyMs);
      });
    timer = setTimeout(send, everyMs);
  };
  return {
    push(now) {
      latest = { report: now };
      if (timer === null) send();
    },
    stop() {
      latest = null;
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}

/**
 * Rows per second over the last `windowMs`, from the counts it is given; null until there are two, half a second apart, and while
 * nothing moves. What went before the first row (sorting on the source, waiting for a lock) does not count.
 */
export function rateMeter(now: () => number, windowMs = 10_000): (rows: number) => number | null {
  let seen: { readonly at: number; readonly rows: number }[] = [];
  return (rows) => {
    const at = now();
    if (rows === 0) return null;
    const kept = seen.findLastIndex((one) => at - one.at >= windowMs);
    seen = [...seen.slice(Math.max(0, kept)), { at, rows }];
    const first = seen[0] ?? { at, rows };
    const seconds = (at - first.at) / 1000;
    return seconds < 0.5 || rows <= first.rows ? null : (rows - first.rows) / seconds;
  };
}
