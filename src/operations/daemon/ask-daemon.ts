import { sleep } from "../../base/sleep.ts";
import { daemonIsAlive } from "../../control/daemon.ts";
import { readAnswer, sendRequest, type RequestVerb } from "../../control/request.ts";
import { BucardoError } from "../../model/error.ts";
import type { Context } from "../context.ts";

const POLL_MS = 20;
const ALIVE_MS = 2000;
/** A daemon that is just starting takes the lock within this. */
const GRACE_MS = 1500;

/** Waits a moment for a daemon that is just starting. Errors: daemon-not-running. */
export async function requireDaemon(context: Context): Promise<void> {
  const control = await context.control();
  for (const end = performance.now() + GRACE_MS; !(await daemonIsAlive(control)); await sleep(100, context.signal)) {
    if (performance.now() > end) throw new BucardoError("daemon-not-running", "No daemon is running for this control database.");
  }
}

/** Asks the daemon and waits for its answer. `timeoutMs` null: for ever. Errors: daemon-not-running, timeout. */
export async function askDaemon(context: Context, verb: RequestVerb, argument: string | null, timeoutMs: number | null): Promise<string> {
  await requireDaemon(context);
  const control = await context.control();
  const id = await sendRequest(control, verb, argument);
  const began = performance.now();
  for (let looked = began; ; await sleep(POLL_MS, context.signal)) {
    const answer = await readAnswer(control, id);
    if (answer !== null) return answer;
    const now = performance.now();
    if (timeoutMs !== null && now - began > timeoutMs)
      throw new BucardoError("timeout", `the daemon did not answer within ${(timeoutMs / 1000).toFixed(0)} s`);
    if (now - looked > ALIVE_MS) {
      looked = now;
      if (!(await daemonIsAlive(control))) throw new BucardoError("daemon-not-running", "The daemon ended before it answered.");
    }
  }
}
