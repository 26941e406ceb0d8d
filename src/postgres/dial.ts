import { createConnection, type Socket } from "node:net";
import { BucardoError } from "../model/error.ts";
import { describePlace } from "./failure.ts";
import type { Parameters } from "./parameters.ts";
import { secure, tlsOptions } from "./tls.ts";

/** One attempt to reach the server: in clear, with TLS if it has it, or with TLS only. Unix sockets are always in clear. */
export type Security = "clear" | "tls-if-offered" | "tls";

/** The attempts that libpq's sslmode stands for, in order. The second one is made when the first was refused. */
export function attemptsOf({ sslmode, host }: Pick<Parameters, "sslmode" | "host">): readonly Security[] {
  if (host.startsWith("/")) return ["clear"];
  if (sslmode === "disable") return ["clear"];
  if (sslmode === "allow") return ["clear", "tls"];
  if (sslmode === "prefer") return ["tls-if-offered", "clear"];
  return ["tls"];
}

export type Dialled = { readonly socket: Socket; readonly encrypted: boolean };

const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/**
 * Opens a socket to the server and negotiates TLS; nothing has been said of user or database yet. The signal destroys the socket
 * until the promise is settled. Throws BucardoError connection-failed or not-postgres; TlsRefused where another attempt makes sense.
 */
export async function dial(
  parameters: Parameters,
  security: Security,
  db: string,
  signal: AbortSignal,
  progress = { reached: false },
): Promise<Dialled> {
  const socket = await open(parameters, db, signal);
  progress.reached = true;
  const abandon = () => socket.destroy();
  signal.addEventListener("abort", abandon, { once: true });
  try {
    if (security === "clear") return { socket, encrypted: false };
    const options = tlsOptions(parameters, db);
    socket.write(sslRequest);
    const answer = await firstByte(socket, parameters, db);
    if (answer === "S") return { socket: await secure(socket, options), encrypted: true };
    if (answer === "N" && security === "tls-if-offered") return { socket, encrypted: false };
    throw new TlsRefused(answer === "N" ? "the server does not offer TLS" : "the server answered the request for TLS with an error");
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    if (error instanceof BucardoError || error instanceof TlsRefused) throw error;
    throw new TlsRefused(`TLS failed: ${(error as Error).message}`, error);
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}

/** TLS did not come about; libpq's `prefer` then tries without. */
export class TlsRefused extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
  }
}

/** TCP or Unix socket, with keepalive so that a dead network is noticed. */
function open(parameters: Parameters, db: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const { host, hostaddr, port } = parameters;
    const socket = host.startsWith("/") ? createConnection(`${host}/.s.PGSQL.${port}`) : createConnection({ host: hostaddr ?? host, port });
    const settle = (then: () => void) => {
      socket.removeAllListeners("error").removeAllListeners("connect");
      signal.removeEventListener("abort", stop);
      then();
    };
    const fail = (reason: unknown) =>
      settle(() => {
        // A destroyed socket may still report an error; nobody listens to it any more.
        socket.on("error", () => undefined).destroy();
        reject(reason);
      });
    const stop = () => fail(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    socket.once("error", (error) => fail(unreachable(error, parameters, db)));
    socket.once("connect", () =>
      settle(() => {
        socket.setNoDelay(true);
        socket.setKeepAlive(true, 30_000);
        resolve(socket);
      }),
    );
  });
}

/** The one byte with which a server answers SSLRequest. More than one byte may be injected by somebody in between: refused. */
function firstByte(socket: Socket, parameters: Parameters, db: string): Promise<"S" | "N" | "E"> {
  return new Promise((resolve, reject) => {
    const done = () => socket.removeListener("readable", read).removeListener("error", fail).removeListener("close", closed);
    const fail = (cause: unknown) => {
      done();
      reject(notPostgres("closed the connection without an answer", parameters, db, cause));
    };
    const closed = () => fail(undefined);
    const read = () => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      done();
      const answer = String.fromCharCode(chunk[0] ?? 0);
      if (answer === "E") return resolve("E");
      if ((answer === "S" || answer === "N") && chunk.length === 1) return resolve(answer);
      reject(notPostgres("answers, but not as PostgreSQL does", parameters, db, undefined));
    };
    socket.on("readable", read).on("error", fail).on("close", closed);
  });
}

export function notPostgres(what: string, parameters: Parameters, db: string, cause: unknown): BucardoError {
  return new BucardoError("not-postgres", `database "${db}": ${describePlace(parameters)} ${what}`, {
    db,
    ...(cause !== undefined && { cause }),
    advice: "Check host and port: is it PostgreSQL, or something in between (proxy, firewall, another service)?",
  });
}

const reasons: Readonly<Record<string, readonly [what: string, advice: string]>> = {
  ECONNREFUSED: ["nothing listens there", "Is the server running, and does it listen on this address (listen_addresses, port)?"],
  ENOTFOUND: ["the host name is not known", "Check the host name and the name service."],
  EAI_AGAIN: ["the name service does not answer", "Check the name service, or give the address with hostaddr=."],
  ENOENT: [
    "there is no such Unix socket",
    "Is the server running? Give host= for TCP, or the right directory of the socket (unix_socket_directories).",
  ],
  EACCES: ["the Unix socket may not be used by this user", "Check the rights of the socket (unix_socket_permissions)."],
  ETIMEDOUT: ["no answer from the network", "Check host, routing and firewalls."],
  EHOSTUNREACH: ["there is no route to the host", "Check host, routing and firewalls."],
  ENETUNREACH: ["there is no route to the network", "Check host, routing and firewalls."],
};

function unreachable(error: NodeJS.ErrnoException, parameters: Parameters, db: string): BucardoError {
  // Several addresses of one name are tried by Node and reported as an AggregateError with the code of the first.
  const [what, advice] = reasons[error.code ?? ""] ?? [error.code ?? error.message, "Check host and port."];
  return new BucardoError("connection-failed", `database "${db}": cannot connect to ${describePlace(parameters)}: ${what}`, {
    db,
    cause: error,
    advice,
  });
}
