import { BucardoError } from "../model/error.ts";
import { driverOf } from "./_driver.ts";
import type { Session } from "./session.ts";
import { sql } from "./sql.ts";

/** Somebody else who speaks the protocol on a connection that we logged in: messages of the server go to `receive`, as they arrive. */
export type Speaker = {
  receive(bytes: Buffer): void;
  /** The connection is gone. */
  ended(error: BucardoError): void;
};

/**
 * Lends the connection to a program that brings its own client (pg_dump), with TLS and login behind it. `speak` gets what sends bytes to the server,
 * and has the connection until it settles. Only for a session that is closed afterwards: nobody knows what the program left behind.
 */
export async function handOver<T>(
  session: Session,
  speaker: Speaker,
  speak: (send: (bytes: Uint8Array) => void) => Promise<T>,
): Promise<T> {
  const driver = driverOf(session);
  const { wire } = driver;
  return driver.exclusive(async () => {
    const { socket } = wire;
    const ended = () =>
      speaker.ended(new BucardoError("connection-lost", `database "${session.name}": the connection was lost`, { db: session.name }));
    socket.once("close", ended);
    wire.divert((bytes) => speaker.receive(bytes));
    try {
      return await speak((bytes) => {
        if (socket.writable) socket.write(bytes);
      });
    } finally {
      wire.divert(() => undefined);
      socket.removeListener("close", ended);
    }
  });
}

/**
 * What a server says to a client that has logged in, up to ReadyForQuery: the answer to the startup packet of a program that takes over
 * the connection, so that it neither needs nor learns a password.
 */
export async function greetingOf(session: Session): Promise<Buffer> {
  const names = ["server_version", "server_encoding", "client_encoding", "DateStyle", "IntervalStyle", "TimeZone", "integer_datetimes"];
  const columns = [...names, "standard_conforming_strings", "is_superuser"].map(
    (name) => `pg_catalog.current_setting('${name}') as "${name}"`,
  );
  const reported = await session.one<Record<string, string>>(
    sql("session.greeting", `select ${columns.join(", ")}, session_user::text as session_authorization`),
  );
  const key = Buffer.alloc(8);
  key.writeInt32BE(session.backendPid);
  return Buffer.concat([
    message("R", Buffer.alloc(4)),
    ...Object.entries(reported).map(([name, value]) => message("S", Buffer.from(`${name}\0${value}\0`))),
    message("K", key),
    message("Z", Buffer.from("I")),
  ]);
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5, type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
