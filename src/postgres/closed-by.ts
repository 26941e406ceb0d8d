import type { Session } from "./session.ts";

/** Ends the session as soon as the signal aborts, whatever it is doing or waiting for. Disposing takes that back. */
export function closedBy(signal: AbortSignal, session: Session): Disposable {
  const close = () => void session.close();
  if (signal.aborted) close();
  else signal.addEventListener("abort", close, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", close) };
}
