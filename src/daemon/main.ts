import { BucardoError } from "../model/error.ts";
import type { Log } from "../telemetry/log.ts";
import { Daemon } from "./daemon.ts";
import type { DaemonOptions } from "./options.ts";
import { livingOwner, removePidFile, writePidFile } from "./pid-file.ts";
import { stopFileExists } from "./stop-file.ts";

export type ProcessOptions = Omit<DaemonOptions, "stopAsked"> & {
  /** Absolute; holds the pid file and the stop file. */
  readonly piddir: string;
  /** Its name there. */
  readonly stopFile: string;
  readonly log: Log;
  /** What lives beside the daemon for as long as it does, such as a server of pages. Never rejects. */
  readonly beside: (daemon: Daemon) => Promise<AsyncDisposable>;
  /** Called once, when the daemon is up. */
  readonly ready: () => void;
};

/**
 * Makes this process the daemon: pid file, stop file and signals around one Daemon, from its start to its end.
 * TERM, INT, USR1 and the stop file finish the current runs; a second signal breaks them off. HUP reads the definitions again, USR2 reopens the logs.
 */
export async function runDaemonProcess(options: ProcessOptions): Promise<void> {
  const { piddir, stopFile, log } = options;
  const owner = await livingOwner(piddir);
  if (owner !== null) throw alreadyThere(piddir, owner.pid);
  const daemon = await Daemon.start({ ...options, stopAsked: () => stopFileExists(piddir, stopFile) });
  await writePidFile(piddir, process.argv.slice(0, 2).join(" "));
  const release = listenToSignals(daemon, options);
  try {
    await using _beside = await options.beside(daemon);
    options.ready();
    await daemon.done;
  } catch (error) {
    log.error({ err: error }, error instanceof Error ? error.message : String(error));
    throw error;
  } finally {
    release();
    await removePidFile(piddir);
  }
}

export function alreadyThere(piddir: string, pid: number): BucardoError {
  return new BucardoError("daemon-running", `a daemon is already running: pid ${pid}, by the pid file in ${piddir}`, {
    advice: "`bucardo stop` ends it. For another control database give another --piddir.",
  });
}

function listenToSignals(daemon: Daemon, { log, reopenLog }: ProcessOptions): () => void {
  let asked = 0;
  const stop = (signal: NodeJS.Signals): void => {
    asked += 1;
    if (asked === 1) daemon.stop(`signal ${signal}`);
    else daemon.abort(`signal ${signal}, again`);
  };
  // Nothing of a run may depend on such an error having been caught: the daemon goes on, and the log tells.
  const uncaught = (error: unknown): void => log.error({ err: error }, "An error that nobody expected; please report it.");
  const handlers: [NodeJS.Signals, (signal: NodeJS.Signals) => void][] = [
    ["SIGTERM", stop],
    ["SIGINT", stop],
    ["SIGUSR1", stop],
    ["SIGHUP", () => daemon.reload()],
    ["SIGUSR2", () => reopenLog()],
  ];
  for (const [signal, handle] of handlers) process.on(signal, handle);
  process.on("uncaughtException", uncaught);
  process.on("unhandledRejection", uncaught);
  return () => {
    for (const [signal, handle] of handlers) process.off(signal, handle);
    process.off("uncaughtException", uncaught);
    process.off("unhandledRejection", uncaught);
  };
}
