import { setTimeout as delay } from "node:timers/promises";

/**
 * Polls until the condition gives something truthy, and gives that back. A condition that throws counts as "not yet";
 * the last error stands in the message of the failure.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  options: { readonly what: string; readonly timeoutMs?: number; readonly everyMs?: number },
): Promise<Exclude<T, false | null | undefined | 0 | "">> {
  // Far more than anything takes: a machine that does too much at once must not decide.
  const timeoutMs = options.timeoutMs ?? 45_000;
  const end = performance.now() + timeoutMs;
  let last: unknown;
  let failure: unknown;
  for (;;) {
    try {
      last = await condition();
      failure = undefined;
      if (last) return last as Exclude<T, false | null | undefined | 0 | "">;
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= end) break;
    await delay(options.everyMs ?? 10);
  }
  const seen = failure === undefined ? `last value: ${JSON.stringify(last)}` : `last error: ${describe(failure)}`;
  throw new Error(`waited ${timeoutMs} ms in vain for ${options.what} (${seen})`, { cause: failure });
}

/** Rejects when the promise has not settled in time. The work itself goes on: only for tests, which end anyway. */
export async function withTimeout<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not done after ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function describe(failure: unknown): string {
  return failure instanceof Error ? failure.message : JSON.stringify(failure);
}
