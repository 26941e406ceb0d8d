import { connect } from "../../src/postgres/connect.ts";
import type { Session } from "../../src/postgres/session.ts";
import type { TestDatabase } from "../harness/database.ts";
import { waitFor } from "../harness/wait.ts";

/** A target with what its loop in a daemon would remember. */
export class Replica implements AsyncDisposable {
  readonly name: string;
  readonly database: TestDatabase;
  readonly #source: TestDatabase;
  #sessions: { source: Session; target: Session } | null = null;
  remembered: number | null = null;
  /** Asked for until a run has done it. */
  onetimecopy: 0 | 1 | 2;

  constructor(name: string, database: TestDatabase, source: TestDatabase, onetimecopy: 0 | 1 | 2) {
    this.name = name;
    this.database = database;
    this.#source = source;
    this.onetimecopy = onetimecopy;
  }

  async sessions(): Promise<{ source: Session; target: Session }> {
    this.#sessions ??= { source: await openSession(this.#source, "source"), target: await openSession(this.database, this.name) };
    return this.#sessions;
  }

  get lost(): boolean {
    return this.#sessions !== null && (this.#sessions.source.lost.aborted || this.#sessions.target.lost.aborted);
  }

  /** The sessions to a server that crashed have heard of it. */
  async untilLost(side: "source" | "target"): Promise<void> {
    const session = this.#sessions?.[side];
    if (session !== undefined) await waitFor(() => session.lost.aborted, { what: "the session to notice its end" });
  }

  async dropSessions(): Promise<void> {
    const open = this.#sessions;
    this.#sessions = null;
    await Promise.all([open?.source.close(), open?.target.close()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dropSessions();
    await this.database[Symbol.asyncDispose]();
  }
}

export function openSession(database: TestDatabase, name: string): Promise<Session> {
  const { host, port, user, database: dbname } = database.connection;
  return connect({ name, host, port, user, dbname });
}
