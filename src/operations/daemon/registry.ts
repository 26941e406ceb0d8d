import type { Operation } from "../operation.ts";
import { message, ping, reload, reloadConfig, reopen } from "./ask.ts";
import { daemonRun } from "./daemon-run.ts";
import { delta } from "./delta.ts";
import { kick } from "./kick.ts";
import { purge } from "./purge.ts";
import { restart } from "./restart.ts";
import { start } from "./start.ts";
import { status } from "./status.ts";
import { stop } from "./stop.ts";
import { watch } from "./watch.ts";
import { activate, deactivate, pause, resume } from "./switch.ts";

/** The operations that talk to the daemon, or about what it does. */
export const daemonOperations: readonly Operation[] = [
  start,
  stop,
  restart,
  daemonRun,
  status,
  watch,
  kick,
  pause,
  resume,
  activate,
  deactivate,
  ping,
  message,
  reload,
  reloadConfig,
  reopen,
  delta,
  purge,
];
