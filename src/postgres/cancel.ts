import { withTimeout } from "../base/abort.ts";
import { BucardoError } from "../model/error.ts";
import { driverOf } from "./_driver.ts";
import { dial } from "./dial.ts";
import type { Session } from "./session.ts";

const CANCEL_TIMEOUT_MS = 5000;

/**
 * Asks the server to cancel what the session is doing (CancelRequest, on a connection of its own with the same security).
 * Resolves when the server has passed the request on; what was running then fails with 57014, unless it had ended. A request that
 * arrives when nothing runs does nothing, so the next statement is safe once this has resolved.
 */
export async function cancelQuery(session: Session): Promise<void> {
  const { client, parameters, encrypted } = driverOf(session);
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  const late = () =>
    new BucardoError(
      "timeout",
      `database "${session.name}": the server did not take a cancel request within ${CANCEL_TIMEOUT_MS / 1000} s`,
      { db: session.name },
    );
  await withTimeout(CANCEL_TIMEOUT_MS, undefined, late, async (signal) => {
    const { socket } = await dial(parameters, encrypted ? "tls" : "clear", session.name, signal);
    const request = Buffer.alloc(16);
    [16, 80877102, processID, secretKey].forEach((word, index) => request.writeInt32BE(word | 0, index * 4));
    const stop = () => socket.destroy();
    signal.addEventListener("abort", stop, { once: true });
    await new Promise<void>((resolve) => {
      socket.on("error", () => undefined);
      socket.once("close", () => resolve());
      socket.resume();
      socket.write(request);
    });
    signal.removeEventListener("abort", stop);
  });
}

/**
 * Work of a session that may wait for somebody else's lock: an abort of the signal cancels what it is doing. Settles after the request has, so that it
 * cannot hit what the session does next.
 */
export async function interruptible<T>(signal: AbortSignal, session: Session, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let cancelling: Promise<void> = Promise.resolve();
  const abort = () => {
    cancelling = cancelQuery(session).catch(() => undefined);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await work();
  } finally {
    signal.removeEventListener("abort", abort);
    await cancelling;
  }
}
