import pg from "pg";
import type { Socket } from "node:net";
import { BucardoError } from "../model/error.ts";
import { driverOf } from "./_driver.ts";
import { FrameWalker } from "./copy-frames.ts";
import { toBucardoError } from "./failure.ts";
import type { Session } from "./session.ts";
import type { Statement } from "./sql.ts";

export type CopyEvents = {
  /** CopyData of the source, headers included. */
  data(bytes: Buffer): void;
  /** The server is in COPY mode. */
  begun(): void;
  /** CommandComplete: the COPY has done its work. */
  completed(): void;
  /** The first error of this side: from the server, or the loss of the connection. */
  failed(error: BucardoError): void;
  /** Nothing more comes: the server is ready for the next statement, or the connection is gone. */
  ended(): void;
};

/**
 *   idle -> starting -> copying -> ended
 *               \_________\________/   by an error (then ReadyForQuery) or by the loss of the connection
 */
type SideState = "idle" | "starting" | "copying" | "ended";

/** One of the two connections of a copy: submits COPY through the driver, keeps the driver away from the stream, returns the wire to it. */
export class CopySide {
  state: SideState = "idle";
  /** The server has reported an error; it reads on and ignores what still belongs to the COPY. */
  errored = false;
  /** The server was in COPY mode: false at the end means that the statement was no COPY. */
  copied = false;
  /** Rows, from the command tag. */
  rows = 0;
  readonly walker: FrameWalker;
  readonly session: Session;
  readonly #table: string | undefined;
  readonly #events: CopyEvents;

  constructor(session: Session, table: string | undefined, events: CopyEvents) {
    this.session = session;
    this.#table = table;
    this.#events = events;
    this.walker = new FrameWalker({ data: (bytes) => events.data(bytes), message: (type, bytes) => this.#message(type, bytes) });
  }

  get socket(): Socket {
    return driverOf(this.session).wire.socket;
  }

  get active(): boolean {
    return this.state === "starting" || this.state === "copying";
  }

  start(statement: Statement): void {
    const { client, wire } = driverOf(this.session);
    this.state = "starting";
    this.socket.once("close", this.#closed);
    if (this.socket.destroyed) return this.#closed();
    wire.divert((chunk) => {
      this.walker.walk(chunk);
      if (this.state !== "ended") return;
      // Ready, so the driver takes over, with the beginning of a notice should one have come right behind.
      wire.restore();
      wire.tellDriver(this.walker.rest);
    });
    client.query(this.#submittable(statement) as never);
  }

  write(bytes: Buffer): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** Cuts the connection of a server that does not come to an end. */
  cut(): void {
    this.socket.destroy();
  }

  /** The driver's idea of a query: it is told of errors and completion, and that is all it learns of the COPY. */
  #submittable(statement: Statement) {
    const nothing = () => undefined;
    return {
      submit: (connection: { query(text: string): void }) => {
        connection.query(statement.text);
        return null;
      },
      handleError: (error: unknown) => {
        // Without an SQLSTATE it is the driver that noticed the end of the connection; `close` tells us.
        if (error instanceof pg.DatabaseError && error.code) this.#failed(toBucardoError(error, this.#context));
      },
      handleCommandComplete: ({ text }: { text: string }) => {
        this.rows = Number(/^COPY (\d+)/.exec(text)?.[1] ?? 0);
        this.#events.completed();
      },
      handleReadyForQuery: nothing,
      handleRowDescription: nothing,
      handleDataRow: nothing,
      handlePortalSuspended: nothing,
      handleEmptyQuery: nothing,
      handleCopyInResponse: nothing,
      handleCopyData: nothing,
    };
  }

  #message(type: string, bytes: Buffer): void {
    if (type === "G" || type === "H") {
      this.state = "copying";
      this.copied = true;
      this.#events.begun();
    } else if (type !== "c") {
      driverOf(this.session).wire.tellDriver(bytes);
      if (type === "Z") this.#end();
    }
  }

  #failed(error: BucardoError): void {
    if (this.errored) return;
    this.errored = true;
    this.#events.failed(error);
  }

  readonly #closed = (): void => {
    const { lost, name } = this.session;
    const reason = lost.aborted
      ? (lost.reason as BucardoError)
      : new BucardoError("connection-lost", `database "${name}": the connection was closed in the middle of a copy`);
    this.#failed(toBucardoError(reason, this.#context));
    this.#end();
  };

  #end(): void {
    if (this.state === "ended") return;
    this.state = "ended";
    this.socket.removeListener("close", this.#closed);
    this.#events.ended();
  }

  get #context() {
    return { db: this.session.name, ...(this.#table !== undefined && { table: this.#table }) };
  }
}
