import type { Socket } from "node:net";

type Receive = (chunk: Buffer) => void;

/**
 * The socket of a connection with a switch in it: what arrives goes to the driver's parser, or to whoever has diverted it.
 * That is how COPY streams pass without being parsed, on sockets that the driver opened and keeps.
 */
export class Wire {
  readonly socket: Socket;
  #driver: Receive = () => undefined;
  #receive: Receive = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Takes the place of the driver's `data` listener. Call right after the driver has attached it. */
  adopt(): void {
    const listeners = this.socket.listeners("data") as Receive[];
    this.socket.removeAllListeners("data");
    this.#driver = (chunk) => listeners.forEach((listen) => listen(chunk));
    this.#receive = this.#driver;
    this.socket.on("data", (chunk: Buffer) => {
      try {
        this.#receive(chunk);
      } catch (error) {
        // The driver's parser throws on bytes that are not the protocol; that must end this connection, not the process.
        this.socket.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  /** Everything that arrives from now on goes to `receive`. */
  divert(receive: Receive): void {
    this.#receive = receive;
  }

  /** The driver hears again. Only between two messages. */
  restore(): void {
    this.#receive = this.#driver;
  }

  /** Lets the driver hear whole messages while the wire is diverted. */
  tellDriver(messages: Buffer): void {
    this.#driver(messages);
  }
}
