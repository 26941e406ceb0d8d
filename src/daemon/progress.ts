import type { RunProgress } from "../model/run.ts";

/** Passes at most one report per `everyMs` on, the latest; `stop` drops what is left. The first goes at once. */
export function throttled(
  everyMs: number,
  report: (progress: RunProgress) => Promise<void>,
): { push(progress: RunProgress): void; stop(): void } {
  let latest: RunProgress | null = null;
  let timer: NodeJS.Timeout | null = null;
  let sending = false;
  const send = (): void => {
    timer = null;
    if (latest === null || sending) return;
    const progress = latest;
    latest = null;
    sending = true;
    void report(progress)
      .catch(() => undefined)
      .finally(() => {
        sending = false;
        if (latest !== null && timer === null) timer = setTimeout(send, everyMs);
      });
    timer = setTimeout(send, everyMs);
  };
  return {
    push(progress) {
      latest = progress;
      if (timer === null) send();
    },
    stop() {
      latest = null;
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
