// oxlint-disable unicorn/require-post-message-target-origin -- that is for windows of a browser
import { Worker, MessageChannel } from "node:worker_threads";
import type { BucardoError } from "../model/error.ts";
import { greetingOf, handOver } from "../postgres/hand-over.ts";
import type { Session } from "../postgres/session.ts";
import { dumpFailure } from "./dump-failure.ts";

/** Major version of the pg_dump in the npm package (WebAssembly). Newer servers are none of its business. */
export const BUILT_IN_MAJOR = 18;

type Outcome = { readonly text: string } | { readonly error: string };

/** Text of the dump, by pg_dump as WebAssembly in a thread of its own, over the session, which is of no use afterwards. */
export async function runBuiltIn(session: Session, args: readonly string[], signal: AbortSignal): Promise<string> {
  const greeting = await greetingOf(session);
  signal.throwIfAborted();
  const { port1: ours, port2: theirs } = new MessageChannel();
  const counter = new Int32Array(new SharedArrayBuffer(4));
  const tell = (bytes: Uint8Array | null) => {
    ours.postMessage(bytes);
    Atomics.add(counter, 0, 1);
    Atomics.notify(counter, 0);
  };
  let lost: BucardoError | null = null;
  const speaker = {
    receive: (bytes: Buffer) => tell(new Uint8Array(bytes)),
    ended: (error: BucardoError) => {
      lost = error;
      tell(null);
    },
  };
  const outcome = await handOver(session, speaker, async (send) => {
    ours.on("message", (bytes: Uint8Array) => send(bytes));
    const worker = new Worker(new URL("./pg-dump-worker.mjs", import.meta.url), {
      workerData: { port: theirs, counter, greeting, args: [...args] },
      transferList: [theirs],
      // It must not learn where to log in.
      env: {},
      // Options of the main program (--input-type, --inspect) are not for a thread.
      execArgv: [],
    });
    const stop = () => void worker.terminate();
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await new Promise<Outcome>((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
        worker.once("exit", () => reject(signal.aborted ? signal.reason : new Error("pg_dump ended without a result")));
      });
    } finally {
      signal.removeEventListener("abort", stop);
      await worker.terminate();
      ours.close();
    }
  });
  if ("text" in outcome) return outcome.text;
  throw lost ?? dumpFailure(session.name, outcome.error);
}
