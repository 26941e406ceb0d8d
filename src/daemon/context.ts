import type { Announcement } from "../control/announce.ts";
import type { Settings } from "../config/setting.ts";
import type { Session } from "../postgres/session.ts";
import type { run } from "../replicate/run.ts";
import type { Log } from "../telemetry/log.ts";
import type { Admission } from "./admission.ts";
import type { Lease } from "./lease.ts";
import type { LockFile } from "./lock-file.ts";
import type { Tally } from "./tally.ts";

/** What every part of the daemon is given: the outside world, and the few things they share. */
export type DaemonContext = {
  readonly lease: Pick<Lease, "held" | "use">;
  /** Opens a session to a registered database, by name, with its settings as they are now. */
  readonly open: (database: string, signal?: AbortSignal) => Promise<Session>;
  readonly run: typeof run;
  readonly log: Log;
  readonly tally: Tally;
  /** As they are now; with the id of a sync: as they are for that one. */
  readonly settings: (syncId?: string) => Settings;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  /** Something in the definitions was changed by the daemon itself: read them again. */
  readonly definitionsChanged: () => void;
  /** The deltas of this source have reached their quota, and the policy is to begin no copy then. */
  readonly overQuota: (source: string) => boolean;
  /** Somebody waits for a connection that others hold: close what is not in use. */
  readonly contended: () => boolean;
  /** Asks for a run of a sync, by name; for those who do it by NOTIFY. */
  readonly kick: (sync: string) => void;
  /** Of the program; custom code is told. */
  readonly version: string;
  /** Sends a mail that custom code of a sync asks for; true when it was taken. See alert/code-mail.ts. */
  readonly mail: (sync: { readonly id: string; readonly name: string }, mail: unknown, signal: AbortSignal) => Promise<boolean>;
  /** The file that asks for locks in the next run of this sync, by name. */
  readonly lockFile: (sync: string) => Promise<LockFile | null>;
  /** Who may run now; see admission.ts. */
  readonly admission: Admission;
  /** Tells whoever listens by the names of version 5; not waited for. */
  readonly announce: (event: Announcement) => void;
  /** True once the daemon has begun to end. */
  readonly ending: () => boolean;
};
