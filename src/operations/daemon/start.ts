import { closeSync, openSync } from "node:fs";
import { hostname } from "node:os";
import { z } from "zod";
import { makeFolder } from "../../base/folder.ts";
import { daemonIsAlive, readDaemon } from "../../control/daemon.ts";
import { checkHost } from "../../daemon/host-check.ts";
import { alreadyThere } from "../../daemon/main.ts";
import { isAlive, livingOwner } from "../../daemon/pid-file.ts";
import { appendReason } from "../../daemon/reason-file.ts";
import { spawnDaemon } from "../../daemon/spawn.ts";
import { removeStopFile } from "../../daemon/stop-file.ts";
import { BucardoError } from "../../model/error.ts";
import type { Session } from "../../postgres/session.ts";
import type { Context } from "../context.ts";
import { key, words } from "../input.ts";
import { interval } from "../interval.ts";
import { defineOperation } from "../operation.ts";
import type { DaemonOrders } from "./daemon-run.ts";
import { describeDestinations, logDestinations } from "./log-place.ts";
import { piddirOf } from "./piddir.ts";
import { daemonSettingsOf } from "./settings.ts";

export const startOutput = z.object({
  pid: z.number(),
  host: z.string().nullable(),
  log: z.array(z.string()),
  piddir: z.string(),
  url: z.string().nullable(),
});
export type Started = z.output<typeof startOutput>;

export const start = defineOperation({
  name: ["start"],
  summary: "Start the daemon in the background",
  description:
    "Returns when the daemon is up: it owns the control database, has read the definitions and begun the first run of every active sync. " +
    "Otherwise it says why not and exits with 1.\n\n" +
    "The log goes to log.bucardo in the directories of --log-destination (which also takes files, stderr, stdout, syslog and none), else in " +
    "/var/log/bucardo where that is writable, else beside the pid file. With --log-separate each sync has a log of its own beside it. " +
    "With --exit-on-nosync a daemon ends when no sync is active.",
  group: "daemon",
  effect: "writes",
  http: { refused: "it begins or ends the very process that answers" },
  rehearsable: false,
  control: "required",
  rawWords: true,
  input: z.object({
    reason: words({ about: "Why; kept in the control database and in the reason file.", value: "REASON" }),
    timeout: key(interval.default(60), { about: "How long to wait until it is up.", value: "TIME" }),
  }),
  output: startOutput,
  exitCodes: { 2: "The setting host_safety_check does not allow this host." },
  examples: [
    { command: "bucardo_ctl start", about: "Starts and waits until it is up." },
    { command: "bucardo start 'after the upgrade'", about: "With a reason." },
  ],
  run: ({ reason, timeout }, context) => startDaemon(context, { reason: reason.join(" "), event: "start", timeout }),
  print: (started, io) => printStarted(started, io),
});

export function printStarted({ pid, log, url }: Started, io: { out(line: string): void }): void {
  io.out(`Bucardo is running, PID ${pid}`);
  if (log.length > 0) io.out(`Log: ${log.join(", ")}`);
  if (url !== null) io.out(`Page: ${url}`);
}

export async function startDaemon(
  context: Context,
  how: { reason: string; event: "start" | "restart"; timeout: number | null },
): Promise<Started> {
  const piddir = await piddirOf(context);
  makeDirectory(piddir);
  const control = await context.control();
  await refuseSecond(control, piddir);
  const settings = await daemonSettingsOf(context);
  checkHost(settings.host_safety_check, hostname());
  await removeStopFile(piddir, settings.stopfile);
  await appendReason(piddir, settings.reason_file, how.event, how.reason);
  const destinations = logDestinations(context.config, context.cwd, piddir);
  const orders: DaemonOrders = { config: context.config, piddir, destinations, reason: how.reason === "" ? null : how.reason };
  const log = describeDestinations(destinations, context.config.log.extension);
  const pid = await spawnChild(context, orders, log, how.timeout);
  const owner = await readDaemon(control);
  return { pid, host: owner?.host ?? null, log, piddir, url: owner?.url ?? null };
}

function makeDirectory(piddir: string): void {
  try {
    makeFolder(piddir);
  } catch (cause) {
    throw new BucardoError("daemon-failed", `the pid directory ${piddir} cannot be made`, {
      cause,
      advice: "Give another one with --piddir, or `bucardo set piddir=DIRECTORY`.",
    });
  }
}

async function refuseSecond(control: Session, piddir: string): Promise<void> {
  const local = await livingOwner(piddir);
  if (local !== null) throw alreadyThere(piddir, local.pid);
  if (!(await daemonIsAlive(control))) return;
  const owner = await readDaemon(control);
  // A daemon that has just been killed or stopped still holds the lock for a moment; the new one waits for that itself.
  if (owner === null || owner.stopped !== null || (owner.host === hostname() && !isAlive({ pid: owner.pid, mark: "-" }))) return;
  throw new BucardoError(
    "daemon-running",
    `a daemon already owns this control database: pid ${owner.pid} on ${owner.host}, since ${owner.started.toISOString()}`,
  );
}

async function spawnChild(context: Context, orders: DaemonOrders, log: readonly string[], timeout: number | null): Promise<number> {
  const file = log.find((path) => path.startsWith("/"));
  // Only who logs to the terminal keeps it.
  const terminal = orders.destinations.some((one) => one === "stderr" || one === "stdout");
  const output = file === undefined && terminal ? ("inherit" as const) : openAppending(file ?? "/dev/null");
  try {
    return await spawnDaemon({
      argv: ["daemon", "run"],
      orders,
      env: context.env,
      cwd: context.cwd,
      output,
      timeoutMs: (timeout ?? 3600) * 1000,
      signal: context.signal,
    });
  } catch (error) {
    if (!(error instanceof BucardoError) || file === undefined || (error.code !== "daemon-failed" && error.code !== "timeout")) throw error;
    throw new BucardoError(error.code, error.message, { ...error.details, advice: `Its log is ${file}.` });
  } finally {
    if (output !== "inherit") closeSync(output);
  }
}

function openAppending(file: string): number {
  try {
    return openSync(file, "a", 0o640);
  } catch (cause) {
    throw new BucardoError("daemon-failed", `the log file ${file} cannot be written`, {
      cause,
      advice: "Choose another directory with --log-destination.",
    });
  }
}
