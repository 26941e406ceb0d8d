import type { Settings } from "../config/setting.ts";
import type { Database } from "../model/sync.ts";
import type { Session } from "../postgres/session.ts";
import type { Log } from "../telemetry/log.ts";

export type DaemonOptions = {
  /** Opens the control database; its schema has been checked by whoever started us. */
  readonly connectControl: () => Promise<Session>;
  /** How to reach a registered database. */
  readonly connect: (database: Database, signal?: AbortSignal) => Promise<Session>;
  readonly version: string;
  readonly reason: string | null;
  readonly log: Log;
  readonly reopenLog: () => void;
  /** Called with the settings whenever they were read. */
  readonly settingsRead?: (settings: Settings) => void;
  /** Settings given on the command line or in the rc file; they win over those of the control database. */
  readonly overrides: Readonly<Record<string, string>>;
  /** The clear text behind a sealed setting. */
  readonly openSecret?: (sealed: string) => string;
  readonly env?: NodeJS.ProcessEnv;
  /** Where files that ask for locks are looked for; main.ts knows it. */
  readonly piddir?: string;
  /** End when no sync is active. */
  readonly exitOnNoSync?: boolean;
  /** Asked a few times a second; true: finish the runs and end. */
  readonly stopAsked?: () => boolean;
};
