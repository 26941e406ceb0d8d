import type { Operation } from "../operation.ts";
import { message, ping, reload, reloadConfig, reopen } from "./ask.ts";
import { daemonRun } from "./daemon-run.ts";
import { restart } from "./restart.ts";
import { start } from "./start.ts";
import { stop } from "./stop.ts";
import { activate, deactivate, pause, resume } from "./switch.ts";

/** The operations that talk to the daemon. */
export const daemonOperations: readonly Operation[] = [start, stop, restart, daemonRun, ping, message, reopen, reload, reloadConfig, activate, deactivate, pause, resume];
