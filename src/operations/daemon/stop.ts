import { z } from "zod";
import { sleep } from "../../base/sleep.ts";
import { daemonIsAlive, readDaemon } from "../../control/daemon.ts";
import { sendRequest } from "../../control/request.ts";
import { settings as declared } from "../../config/setting.ts";
import { isAlive, livingOwner } from "../../daemon/pid-file.ts";
import { appendReason } from "../../daemon/reason-file.ts";
import { createStopFile, removeStopFile } from "../../daemon/stop-file.ts";
import { BucardoError } from "../../model/error.ts";
import type { Context } from "../context.ts";
import { key, words } from "../input.ts";
import { interval } from "../interval.ts";
import { defineOperation } from "../operation.ts";
import { piddirOf } from "./piddir.ts";
import { daemonSettingsOf } from "./settings.ts";

const POLL_MS = 50;
const DEFAULT_TIMEOUT = 300;

export const stopOutput = z.object({ stopped: z.boolean(), pid: z.number().nullable(), ms: z.number() });
export type Stopped = z.output<typeof stopOutput>;

export const stop = defineOperation({
  name: ["stop"],
  summary: "Stop the daemon and wait until it is gone",
  description:
    "Runs that are going on are finished first, for at most the setting stop_grace; then they are broken off, which loses nothing. " +
    "When no daemon runs it says so. With --piddir no connection to the control database is needed.",
  group: "daemon",
  effect: "writes",
  http: { refused: "it begins or ends the very process that answers" },
  rehearsable: false,
  control: "optional",
  rawWords: true,
  input: z.object({
    reason: words({ about: "Why; kept in the reason file.", value: "REASON" }),
    timeout: key(interval.default(DEFAULT_TIMEOUT), { about: "How long to wait until it is gone; none: for ever.", value: "TIME" }),
  }),
  output: stopOutput,
  examples: [{ command: "bucardo_ctl stop", about: "Stops and waits." }],
  run: ({ reason, timeout }, context) => stopDaemon(context, { reason: reason.join(" "), event: "stop", timeout }),
  print: ({ stopped, ms }, io) => io.out(stopped ? `Bucardo stopped (${(ms / 1000).toFixed(3)} s)` : "No daemon is running"),
});

/** Returns when no daemon runs any more. Errors: timeout. */
export async function stopDaemon(
  context: Context,
  how: { reason: string; event: "stop" | "restart"; timeout: number | null },
): Promise<Stopped> {
  const began = performance.now();
  const local = context.config.piddir !== null;
  const piddir = await piddirOf(context);
  const owner = await livingOwner(piddir);
  if (owner === null && local && !(await controlAnswers(context))) return { stopped: false, pid: null, ms: 0 };
  if (owner === null) return await stopElsewhere(context, how, began);
  const { stopfile, reason_file } = local
    ? { stopfile: overridden(context, "stopfile"), reason_file: overridden(context, "reason_file") }
    : await daemonSettingsOf(context);
  await appendReason(piddir, reason_file, how.event, how.reason);
  const path = await createStopFile(piddir, stopfile, how.reason);
  if (!context.flags.json) context.io.out(`Creating ${path} ... Done`);
  await untilGone(context, how.timeout, owner.pid, () => Promise.resolve(!isAlive(owner)));
  await removeStopFile(piddir, stopfile);
  return { stopped: true, pid: owner.pid, ms: Math.round(performance.now() - began) };
}

/** The daemon of another host, or one that was started with another pid directory. */
async function stopElsewhere(context: Context, how: { reason: string; timeout: number | null }, began: number): Promise<Stopped> {
  const control = await context.control();
  if (!(await daemonIsAlive(control))) return { stopped: false, pid: null, ms: 0 };
  const owner = await readDaemon(control);
  if (!context.flags.json) context.io.out(`Asking the daemon with pid ${owner?.pid ?? "?"} on ${owner?.host ?? "?"} to stop`);
  await sendRequest(control, "stop", how.reason === "" ? null : how.reason);
  await untilGone(context, how.timeout, owner?.pid ?? null, async () => !(await daemonIsAlive(control)));
  return { stopped: true, pid: owner?.pid ?? null, ms: Math.round(performance.now() - began) };
}

async function untilGone(context: Context, timeout: number | null, pid: number | null, gone: () => Promise<boolean>): Promise<void> {
  const began = performance.now();
  const { io } = context;
  const rewrites = io.isTerminal && !context.flags.json;
  while (!(await gone())) {
    const seconds = (performance.now() - began) / 1000;
    if (timeout !== null && seconds > timeout) {
      throw new BucardoError(
        "timeout",
        `the daemon${pid === null ? "" : ` (pid ${pid})`} still finishes its runs after ${Math.round(seconds)} s`,
        {
          advice: "It stops by itself; `bucardo status` shows the runs. A second SIGTERM breaks them off, which loses nothing.",
        },
      );
    }
    if (rewrites) io.write(`\rWaiting until it is gone [${seconds.toFixed(1)} s]`);
    await sleep(POLL_MS, context.signal);
  }
  if (rewrites && performance.now() - began > POLL_MS) io.write("\n");
}

async function controlAnswers(context: Context): Promise<boolean> {
  return await context.control().then(
    () => true,
    () => false,
  );
}

function overridden({ config }: Context, name: "stopfile" | "reason_file"): string {
  return config.overrides[name] ?? declared[name].default;
}
