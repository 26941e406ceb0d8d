import { BucardoError } from "../model/error.ts";

type Waiter = { readonly admit: () => void };

export type LimitRequest = { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number; readonly db?: string };

/**
 * How many connections this process may hold to one server (host:port). First come, first served.
 * A slot belongs to a connection from before it is opened until it is closed or lost.
 */
export class ConnectionLimit {
  max: number;
  /** Called whenever somebody has to wait: who holds a connection without need may close it. */
  onContention: (() => void) | null = null;
  readonly #used = new Map<string, number>();
  readonly #waiting = new Map<string, Waiter[]>();

  constructor(max: number) {
    this.max = max;
  }

  used(server: string): number {
    return this.#used.get(server) ?? 0;
  }

  /** Somebody waits for a slot of some server. */
  get contended(): boolean {
    return [...this.#waiting.values()].some((queue) => queue.length > 0);
  }

  /** Waits for a slot; the returned function gives it back (further calls do nothing). Fails with too-many-connections after `timeoutMs` (30 s). */
  async acquire(server: string, { signal, timeoutMs = 30_000, db }: LimitRequest = {}): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.used(server) >= this.max) await this.#wait(server, timeoutMs, signal, db);
    else this.#used.set(server, this.used(server) + 1);
    let held = true;
    return () => {
      if (held) this.#release(server);
      held = false;
    };
  }

  #wait(server: string, timeoutMs: number, signal: AbortSignal | undefined, db: string | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const queue = this.#waiting.get(server) ?? [];
      this.#waiting.set(server, queue);
      const settle = (then: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", stop);
        then();
      };
      const waiter: Waiter = { admit: () => settle(resolve) };
      const leave = (reason: unknown) => {
        queue.splice(queue.indexOf(waiter), 1);
        settle(() => reject(reason));
      };
      const stop = () => leave(signal?.reason);
      const timer = setTimeout(() => leave(this.#full(server, timeoutMs, db)), timeoutMs);
      signal?.addEventListener("abort", stop, { once: true });
      queue.push(waiter);
      this.onContention?.();
    });
  }

  #full(server: string, timeoutMs: number, db: string | undefined): BucardoError {
    return new BucardoError(
      "too-many-connections",
      `all ${this.max} connections that we allow ourselves to ${server} are in use; none came free in ${timeoutMs / 1000} s`,
      { ...(db !== undefined && { db }), advice: `Raise \`max_connections\` here if ${server} can take more, or run fewer syncs at once.` },
    );
  }

  #release(server: string): void {
    const next = this.#waiting.get(server)?.shift();
    // The slot passes to the next in the queue, unless the maximum was lowered meanwhile.
    if (next && this.used(server) <= this.max) return next.admit();
    if (next) this.#waiting.get(server)?.unshift(next);
    this.#used.set(server, this.used(server) - 1);
  }
}

/** The limit of this process. The daemon sets `max` from its settings. */
export const processLimit = new ConnectionLimit(20);
