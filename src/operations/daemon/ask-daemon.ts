import { hostname } from "node:os";
import { sleep } from "../../base/sleep.ts";
import { daemonIsAlive, readDaemon, type DaemonRow } from "../../control/daemon.ts";
import { readAnswer, sendRequest, type RequestVerb } from "../../control/request.ts";
import { isAlive } from "../../daemon/pid-file.ts";
import { BucardoError } from "../../model/error.ts";
import type { Context } from "../context.ts";

const POLL_MS = 20;
const ALIVE_MS = 2000;
/** A daemon that is just starting takes the lock within this. */
const GRACE_MS = 1500;
/** One whose process lives has only lost its connection, and takes the lock again within this. */
const LEASELESS_MS = 30_000;

/** Waits a moment for a daemon that is just starting, longer for one that is known to live. Errors: daemon-not-running. */
export async function requireDaemon(context: Context): Promise<void> {
  const control = await context.control();
  for (const began = performance.now(); !(await daemonIsAlive(control)); await sleep(100, context.signal)) {
    const waited = performance.now() - began;
    if (waited < GRACE_MS || (waited < LEASELESS_MS && livesHere(await readDaemon(control)))) continue;
    throw new BucardoError("daemon-not-running", "No daemon is running for this control database.");
  }
}

/** True when the process of that daemon lives on this host, whether or not it holds its lease now. */
export function livesHere(daemon: DaemonRow | null): boolean {
  return daemon !== null && daemon.stopped === null && daemon.host === hostname() && isAlive({ pid: daemon.pid, mark: "-" });
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
