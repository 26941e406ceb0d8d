/**
 * A signal that aborts with the first of the given ones. Disposing it lets go of them.
 * (`AbortSignal.any` of Node 20 keeps every derived signal alive as long as its longest-lived parent.)
 */
export function anySignal(...signals: readonly (AbortSignal | undefined)[]): AbortSignal & Disposable {
  const controller = new AbortController();
  const parents = signals.filter((signal) => signal !== undefined);
  const release = () => {
    for (const parent of parents) parent.removeEventListener("abort", pass);
  };
  const pass = () => {
    release();
    controller.abort(parents.find((parent) => parent.aborted)?.reason);
  };
  if (parents.some((parent) => parent.aborted)) pass();
  else for (const parent of parents) parent.addEventListener("abort", pass, { once: true });
  return Object.assign(controller.signal, { [Symbol.dispose]: release });
}

/**
 * Runs `work` with a signal that aborts when `ms` milliseconds are over (reason: what `late` makes) or when the outer signal does.
 * Rejects at that moment even if `work` does not listen to its signal.
 */
export async function withTimeout<T>(
  ms: number,
  outer: AbortSignal | undefined,
  late: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(late()), ms);
  using signal = anySignal(outer, clock.signal);
  try {
    return await orAbort(work(signal), signal);
  } finally {
    clearTimeout(timer);
  }
}

/** The promise, or a rejection with `signal.reason` when that comes first. What the promise does later is ignored. */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}

/**
 * Two things at the same time. When one fails the other is told by its signal; both have ended when this rejects, with the first of their errors.
 */
export async function together<One, Other>(
  outer: AbortSignal,
  one: (signal: AbortSignal) => Promise<One>,
  other: (signal: AbortSignal) => Promise<Other>,
): Promise<[One, Other]> {
  const broken = new AbortController();
  using signal = anySignal(outer, broken.signal);
  const half = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await work(signal);
    } catch (error) {
      broken.abort(error);
      throw error;
    }
  };
  const halves = [half(one), half(other)] as const;
  await Promise.allSettled(halves);
  broken.signal.throwIfAborted();
  return await Promise.all(halves);
}
