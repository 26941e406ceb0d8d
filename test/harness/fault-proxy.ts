import { createConnection, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export type Direction = "toServer" | "toClient";

/**
 * Stands between a client and a server and behaves as bad networks do. It knows nothing of the protocol.
 * Connect to `host` and `port` instead of the server's.
 */
export async function faultProxy(target: { readonly targetPort: number; readonly targetHost?: string }): Promise<FaultProxy> {
  const proxy = new FaultProxy(target.targetHost ?? "127.0.0.1", target.targetPort);
  await proxy._listen();
  return proxy;
}

export type Pair = { readonly client: Socket; readonly server: Socket };

export class FaultProxy implements AsyncDisposable {
  readonly host = "127.0.0.1";
  port = 0;
  /** Bytes passed on since the start. */
  readonly passed: Record<Direction, number> = { toServer: 0, toClient: 0 };
  readonly #target: { host: string; port: number };
  readonly #listener = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  readonly #pairs = new Set<Pair>();
  #refusing = false;
  #stalled: Record<Direction, boolean> = { toServer: false, toClient: false };
  #wake: (() => void)[] = [];
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  #holding = 0;
  #due: { direction: Direction; bytes: number; act: (over: Pair) => void } | null = null;

  constructor(host: string, port: number) {
    this.#target = { host, port };
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Connections and directions that hold something back because of stall(). */
  get holding(): number {
    return this.#holding;
  }

  /** Breaks every open connection with a reset, as when the other machine forgot it. New ones are let through. */
  cut(): void {
    for (const pair of this.#pairs) reset(pair);
  }

  /** Resets the connection over which the so-manieth byte (counted from now, over all connections) would pass in that direction. */
  cutAfter(direction: Direction, bytes: number): void {
    this.after(direction, bytes, reset);
  }

  /** Acts once, just before the so-manieth byte (counted from now, over all connections) would pass in that direction. */
  after(direction: Direction, bytes: number, act: (over: Pair) => void): void {
    this.#due = { direction, bytes, act };
  }

  /** Connections stay open and nothing passes any more: a network that swallows packets. */
  stall(direction?: Direction): void {
    for (const one of direction ? [direction] : (["toServer", "toClient"] as const)) this.#stalled[one] = true;
  }

  /** Ends stall(), slow(), refuse() and what after() still waits for; what was held back arrives. */
  resume(): void {
    this.#stalled = { toServer: false, toClient: false };
    this.#bytesPerSecond = Number.POSITIVE_INFINITY;
    this.#refusing = false;
    this.#due = null;
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** Each connection and direction carries at most so much. */
  slow(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Ends one direction of every open connection in an orderly way (FIN) while the other stays open. */
  halfClose(direction: Direction): void {
    for (const { client, server } of this.#pairs) (direction === "toServer" ? server : client).end();
  }

  /** New connections are reset at once; open ones go on. */
  refuse(): void {
    this.#refusing = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.resume();
    await new Promise((resolve) => this.#listener.close(resolve));
  }

  /** Private to this file. */
  async _listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => this.#listener.once("error", reject).listen(0, this.host, resolve));
    this.port = (this.#listener.address() as AddressInfo).port;
  }

  #accept(client: Socket): void {
    client.on("error", () => undefined);
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const server = createConnection({ ...this.#target, allowHalfOpen: true });
    server.on("error", () => client.resetAndDestroy());
    const pair = { client, server };
    this.#pairs.add(pair);
    const gone = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    client.on("close", gone);
    server.on("close", gone);
    void this.#pump(pair, "toServer").catch(gone);
    void this.#pump(pair, "toClient").catch(gone);
  }

  async #pump(pair: Pair, direction: Direction): Promise<void> {
    const [from, to] = direction === "toServer" ? [pair.client, pair.server] : [pair.server, pair.client];
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (const part of this.#parts(chunk)) {
        if (this.#bytesPerSecond !== Number.POSITIVE_INFINITY) await delay((part.length / this.#bytesPerSecond) * 1000);
        this.#actWhenDue(direction, part.length, pair);
        await this.#held(direction, from);
        if (to.destroyed || to.writableEnded) return;
        this.passed[direction] += part.length;
        if (!to.write(part)) await new Promise((resolve) => to.once("drain", resolve).once("close", resolve));
      }
    }
    to.end();
  }

  async #held(direction: Direction, from: Socket): Promise<void> {
    if (!this.#stalled[direction]) return;
    this.#holding += 1;
    while (this.#stalled[direction] && !from.destroyed) {
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
        from.once("close", resolve);
      });
    }
    this.#holding -= 1;
  }

  /** Small parts make a slow connection even: ten a second. */
  #parts(chunk: Buffer): Buffer[] {
    const size = Math.max(1, Math.floor(this.#bytesPerSecond / 10));
    if (chunk.length <= size) return [chunk];
    return Array.from({ length: Math.ceil(chunk.length / size) }, (_, index) => chunk.subarray(index * size, (index + 1) * size));
  }

  #actWhenDue(direction: Direction, length: number, pair: Pair): void {
    const due = this.#due;
    if (due?.direction !== direction) return;
    due.bytes -= length;
    if (due.bytes > 0) return;
    this.#due = null;
    due.act(pair);
  }
}

function reset({ client, server }: Pair): void {
  client.resetAndDestroy();
  server.resetAndDestroy();
}
