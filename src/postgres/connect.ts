import { withTimeout } from "../base/abort.ts";
import { invariant } from "../base/invariant.ts";
import { BucardoError } from "../model/error.ts";
import { attemptsOf, dial, TlsRefused, type Security } from "./dial.ts";
import { describePlace, interruption, sqlstateOf } from "./failure.ts";
import { processLimit, type ConnectionLimit } from "./limit.ts";
import { logIn } from "./login.ts";
import { resolveParameters, type ConnectionFields, type Parameters } from "./parameters.ts";
import { PgSession } from "./pg-session.ts";
import type { Session } from "./session.ts";

export type ConnectOptions = ConnectionFields & {
  readonly applicationName?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For one attempt, from the first packet to the session that is set up; 10 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** Other than the process's. */
  readonly limit?: ConnectionLimit | undefined;
};

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Opens a connection as libpq would and sets it up (setup.ts). Throws BucardoError: bad-value (a parameter), connection-failed,
 * not-postgres, authentication-failed, too-many-connections, server-not-ready, interrupted. Never a password in a message.
 */
export async function connect(options: ConnectOptions): Promise<Session> {
  const { name: db, signal, limit = processLimit } = options;
  const parameters = resolveParameters(options);
  try {
    const release = await limit.acquire(describePlace(parameters), { signal, db });
    try {
      return await tryInTurn(attemptsOf(parameters), (security) => attempt(parameters, security, options, release));
    } catch (error) {
      release();
      throw error;
    }
  } catch (error) {
    if (error instanceof TlsRefused) throw tlsFailure(error, parameters, db);
    throw error instanceof BucardoError ? error : interruption(error, { db });
  }
}

/** The next way of securing the connection is tried when TLS failed or pg_hba.conf has no line for this one, as libpq does. */
async function tryInTurn(ways: readonly Security[], open: (way: Security) => Promise<Session>): Promise<Session> {
  for (const [index, way] of ways.entries()) {
    try {
      return await open(way);
    } catch (error) {
      const mayDiffer = error instanceof TlsRefused || sqlstateOf(error) === "28000";
      if (index === ways.length - 1 || !mayDiffer) throw error;
    }
  }
  invariant(false, "there is at least one way to connect");
}

function attempt(parameters: Parameters, security: Security, options: ConnectOptions, release: () => void): Promise<Session> {
  const { name, applicationName = "bucardo" } = options;
  const ms = options.connectTimeoutMs ?? parameters.timeoutMs ?? CONNECT_TIMEOUT_MS;
  const progress = { reached: false };
  const late = () => tooLate(parameters, name, ms, progress.reached);
  return withTimeout(ms, options.signal, late, async (signal) => {
    const dialled = await dial(parameters, security, name, signal, progress);
    try {
      const { client, wire, facts } = await logIn(dialled, parameters, name, applicationName, signal);
      return new PgSession({ name, ...facts }, { client, wire, parameters, encrypted: dialled.encrypted }, release);
    } catch (error) {
      dialled.socket.destroy();
      throw error;
    }
  });
}

function tooLate(parameters: Parameters, db: string, ms: number, reached: boolean): BucardoError {
  const what = reached ? "accepts connections, but did not complete the login" : "did not answer";
  return new BucardoError("connection-failed", `database "${db}": ${describePlace(parameters)} ${what} within ${ms / 1000} s`, {
    db,
    advice: reached
      ? "Check host and port: is it PostgreSQL? If so, it hangs or is overloaded."
      : "Check host, port, routing and firewalls.",
  });
}

function tlsFailure(error: TlsRefused, parameters: Parameters, db: string): BucardoError {
  return new BucardoError("connection-failed", `database "${db}": no secure connection to ${describePlace(parameters)}: ${error.message}`, {
    db,
    cause: error.cause ?? error,
    advice: `sslmode is ${parameters.sslmode}. Check the server's certificate and sslrootcert=, or choose another sslmode.`,
  });
}
