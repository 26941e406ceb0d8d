import type { Answer } from "./batch.ts";
import type { Statement } from "./sql.ts";

/** One connection with settings that we know (connect.ts). Statements run one after another, in the order they were asked for. */
export interface Session extends AsyncDisposable {
  /** The registered name of the database, for messages. */
  readonly name: string;
  /** 120022 for 12.22. */
  readonly serverVersion: number;
  readonly backendPid: number;
  /** Of the database, e.g. `UTF8`; ours is always UTF8. */
  readonly serverEncoding: string;
  /** Aborts, with a BucardoError connection-lost, when the connection ends without close(). */
  readonly lost: AbortSignal;
  query<Row extends object>(statement: Statement): Promise<Row[]>;
  /** Exactly one row; anything else is a mistake of ours. */
  one<Row extends object>(statement: Statement): Promise<Row>;
  /** Number of affected rows. */
  execute(statement: Statement): Promise<number>;
  /** Several statements without values, in one round trip; outside of a transaction they are one. Affected rows of each. */
  script(statement: Statement): Promise<number[]>;
  /** Several statements, values and all, in one round trip; outside of a transaction they are one. After an error the rest is skipped. */
  batch(statements: readonly Statement[]): Promise<Answer[]>;
  listen(channel: string, heard: (payload: string) => void): Promise<void>;
  /** Cancels what runs, says goodbye and ends the connection; each is given up after 2 s. Never throws, may be called again. */
  close(): Promise<void>;
}
