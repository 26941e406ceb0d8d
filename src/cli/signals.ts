import { BucardoError } from "../model/error.ts";

/** A signal that aborts on SIGINT and SIGTERM of this process; the given one instead when there is one. */
export function signalOfProcess(given: AbortSignal | undefined): { readonly signal: AbortSignal } & Disposable {
  if (given !== undefined) return { signal: given, [Symbol.dispose]() {} };
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals): void => controller.abort(new BucardoError("interrupted", `Interrupted by ${name}.`, { advice: "" }));
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.removeListener("SIGINT", stop);
      process.removeListener("SIGTERM", stop);
    },
  };
}
