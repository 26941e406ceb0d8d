import pg from "pg";
import type { Socket } from "node:net";
import { orAbort } from "../base/abort.ts";
import { BucardoError } from "../model/error.ts";
import { notPostgres, TlsRefused, type Dialled } from "./dial.ts";
import { describePlace, toBucardoError } from "./failure.ts";
import type { Parameters } from "./parameters.ts";
import { setupStatement, type SetupRow } from "./setup.ts";
import { valueTypes } from "./values.ts";
import { Wire } from "./wire.ts";

export type Authenticated = { readonly client: pg.Client; readonly wire: Wire; readonly reported: ReadonlyMap<string, string> };
export type Login = { readonly client: pg.Client; readonly wire: Wire; readonly facts: SetupRow };

/** The part of the driver that its types do not show. */
type Inside = {
  processID: number;
  connection: NodeJS.EventEmitter;
  password: unknown;
  connectionParameters: { password: unknown };
};

/**
 * Startup and authentication by the driver, on a socket that is open (and encrypted) already. The signal only ends the waiting:
 * who dialled destroys the socket. Throws BucardoError.
 */
export async function authenticate(
  { socket, encrypted }: Dialled,
  parameters: Parameters,
  db: string,
  applicationName: string,
  signal: AbortSignal,
): Promise<Authenticated> {
  const reported = new Map<string, string>();
  let bound = false;
  const client = new pg.Client({
    host: parameters.host,
    port: parameters.port,
    user: parameters.user,
    database: parameters.dbname,
    password: () => givePassword(parameters, db, bound),
    stream: () => alreadyConnected(socket),
    ssl: false,
    sslnegotiation: "postgres",
    enableChannelBinding: encrypted && parameters.channelBinding !== "disable",
    application_name: applicationName,
    client_encoding: "UTF8",
    types: valueTypes,
    ...(parameters.options !== null && { options: parameters.options }),
  });
  // Errors reach us through the promises below, and later through the Session; without a listener they would end the process.
  client.on("error", () => undefined);
  const inside = client as unknown as Inside;
  inside.connection.on("parameterStatus", (message: { parameterName: string; parameterValue: string }) =>
    reported.set(message.parameterName, message.parameterValue),
  );
  inside.connection.prependListener(
    "authenticationSASL",
    (message: { mechanisms: string[] }) => (bound = message.mechanisms.includes("SCRAM-SHA-256-PLUS")),
  );
  const wire = new Wire(socket);
  try {
    const connecting = client.connect();
    wire.adopt();
    watchFirstMessage(wire, parameters, db);
    await orAbort(connecting, signal);
    inside.password = inside.connectionParameters.password = null;
    return { client, wire, reported };
  } catch (error) {
    signal.throwIfAborted();
    throw explain(socket.errored ?? error, socket, parameters, db);
  }
}

/** Authentication and setup: from here on every setting that matters is ours. Throws BucardoError. */
export async function logIn(
  dialled: Dialled,
  parameters: Parameters,
  db: string,
  applicationName: string,
  signal: AbortSignal,
): Promise<Login> {
  const { client, wire, reported } = await authenticate(dialled, parameters, db, applicationName, signal);
  const inside = client as unknown as Inside;
  try {
    const major = Number.parseInt(reported.get("server_version") ?? "0", 10);
    const setup = setupStatement(major, reported.get("is_superuser") === "on", inside.processID);
    const { rows } = await orAbort(client.query<SetupRow>({ text: setup.text }), signal);
    if (!rows[0]) throw behindPooler(parameters, db);
    return { client, wire, facts: rows[0] };
  } catch (error) {
    signal.throwIfAborted();
    throw explain(dialled.socket.errored ?? error, dialled.socket, parameters, db);
  }
}

/** The driver wants to connect a socket itself; this one answers that it is. */
function alreadyConnected(socket: Socket): Socket {
  const connect = () => {
    process.nextTick(() => socket.emit("connect"));
    return socket;
  };
  return Object.assign(socket, { connect });
}

function behindPooler(parameters: Parameters, db: string): BucardoError {
  return new BucardoError(
    "connection-failed",
    `database "${db}": a connection pooler answers at ${describePlace(parameters)}, not PostgreSQL itself`,
    {
      db,
      advice:
        "Give host and port of the server: replication needs connections of its own, and settings made through a pooler would meet others.",
    },
  );
}

function givePassword({ password, passwordNote, channelBinding, user }: Parameters, db: string, bound: boolean): string {
  if (channelBinding === "require" && !bound) {
    throw new BucardoError("authentication-failed", `database "${db}": channel binding is required, but the server does not offer it`, {
      db,
    });
  }
  if (password !== null) return password;
  throw new BucardoError("authentication-failed", `database "${db}": the server wants a password for user "${user}", and ${passwordNote}`, {
    db,
  });
}

const AUTHENTICATION = "R".charCodeAt(0);
const ERROR = "E".charCodeAt(0);
const knownMethods = new Set([0, 3, 5, 10]);

/** A server's first message is a request to authenticate or an error; everything else is not PostgreSQL. The driver does not check that. */
function watchFirstMessage(wire: Wire, parameters: Parameters, db: string): void {
  let seen = Buffer.alloc(0);
  wire.divert((chunk) => {
    seen = Buffer.concat([seen, chunk]);
    if (seen.length < 9) return;
    const type = seen[0];
    const length = seen.readUInt32BE(1);
    if ((type !== AUTHENTICATION && type !== ERROR) || length < 8 || length > 30_000)
      throw notPostgres("answers, but not as PostgreSQL does", parameters, db, undefined);
    const method = seen.readUInt32BE(5);
    if (type === AUTHENTICATION && !knownMethods.has(method)) {
      throw new BucardoError(
        "authentication-failed",
        `database "${db}": the server wants a way of authentication that is not supported (number ${method})`,
        {
          db,
          advice: "Choose scram-sha-256, md5, cert, peer or trust for this user in pg_hba.conf.",
        },
      );
    }
    wire.restore();
    wire.tellDriver(seen);
  });
}

function explain(error: unknown, socket: Socket, parameters: Parameters, db: string): BucardoError {
  if (error instanceof BucardoError) return error;
  const place = `"${parameters.dbname}" at ${describePlace(parameters)} as user "${parameters.user}"`;
  if (error instanceof pg.DatabaseError && error.code) {
    const mapped = toBucardoError(error);
    const code =
      mapped.code === "connection-lost" || mapped.code === "internal"
        ? "connection-failed"
        : mapped.code === "permission-denied"
          ? "authentication-failed"
          : mapped.code;
    const advice = adviceFor(error.code, parameters);
    return new BucardoError(code, `database "${db}": cannot connect to ${place}: ${error.message}`, {
      db,
      sqlstate: error.code,
      cause: error,
      ...(advice !== null && { advice }),
    });
  }
  // With TLS 1.3 a server refuses a client's certificate only after the handshake.
  if ((error as NodeJS.ErrnoException).code?.startsWith("ERR_SSL")) throw new TlsRefused(`TLS failed: ${(error as Error).message}`, error);
  if (socket.destroyed || socket.readableEnded) return notPostgres("closed the connection during the login", parameters, db, error);
  return new BucardoError(
    "authentication-failed",
    `database "${db}": cannot connect to ${place}: ${error instanceof Error ? error.message : String(error)}`,
    { db, cause: error },
  );
}

function adviceFor(sqlstate: string, { user, dbname, passwordNote }: Parameters): string | null {
  if (sqlstate === "3D000") return `Create database "${dbname}" there, or correct the name (dbname=).`;
  if (sqlstate === "28P01") return `The server did not accept ${passwordNote} for user "${user}": correct it, or the user (user=).`;
  if (sqlstate === "28000")
    return `Create role "${user}" with LOGIN there, or let it in by a line of pg_hba.conf (the server's message says which).`;
  if (sqlstate === "42501") return `Grant CONNECT on database "${dbname}" to "${user}".`;
  return null;
}
