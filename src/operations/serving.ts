import type { Config } from "../config/load.ts";
import type { Settings } from "../config/setting.ts";
import type { Tally } from "../daemon/tally.ts";
import type { Log } from "../telemetry/log.ts";

/** What is served, and by whom. */
export type Served = {
  readonly program: string;
  readonly version: string;
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly log: Log;
  /** The daemon itself serves; null: somebody who looks from outside. */
  readonly daemon: { readonly tally: Tally; readonly up: () => boolean } | null;
  /** false: there is no control database, only a move. */
  readonly control: boolean;
  /** The two databases of a move, as typed; null: those of the last move begun by this user, if there is one. */
  readonly move: { readonly from: string; readonly to: string } | null;
};

/** Somewhere to look at it with a browser. Its end closes every connection. */
export type Serving = AsyncDisposable & {
  /** `http://127.0.0.1:8432`; null: nothing is served now (off, or the address is taken; the log says why). */
  readonly url: string | null;
  /** Settings were read again: other ones about http count from now on. Never rejects. */
  settings(now: Settings): Promise<void>;
};

/** Begins to serve at the address of the settings. Never rejects because of an address that cannot be had: the log says so, and nothing is served. */
export type ServeHttp = (of: Served, settings: Settings) => Promise<Serving>;
