import { anySignal } from "../base/abort.ts";
import { sleep } from "../base/sleep.ts";
import type { Session } from "../postgres/session.ts";
import type { DaemonContext } from "./context.ts";
import type { Job } from "./job.ts";

/** Target null: it is no server. */
export type Pair = { readonly source: Session; readonly target: Session | null };
export type Servers = { readonly source: Session; readonly target: Session };

/** With one half open and the other to be waited for, this often the half is given back before it is held until the end. */
const YIELDS = 5;
const YIELD_MS = 300;

/**
 * The source and the target session of one target loop: opened when first needed, kept between runs, closed together. Never one without
 * the other: a run that lost one side is void, and the next begins on fresh connections (hazard 1).
 */
export class Connections implements AsyncDisposable {
  readonly #context: Pick<DaemonContext, "contended" | "random" | "open">;
  readonly #signal: AbortSignal;
  readonly #job: () => Pick<Job, "definition" | "files">;
  #pair: Pair | null = null;

  constructor(
    context: Pick<DaemonContext, "contended" | "random" | "open">,
    signal: AbortSignal,
    job: () => Pick<Job, "definition" | "files">,
  ) {
    this.#context = context;
    this.#signal = signal;
    this.#job = job;
  }

  get isOpen(): boolean {
    return this.#pair !== null;
  }

  /** The two sessions, as far as is known alive; null: `get` has to open them. */
  get pair(): Pair | null {
    return this.#pair === null || this.#pair.source.lost.aborted || this.#pair.target?.lost.aborted === true ? null : this.#pair;
  }

  async get(): Promise<Pair> {
    if (this.pair === null) await this.close();
    for (let yields = 0; this.#pair === null; yields++) this.#pair = await this.#openPair(yields < YIELDS);
    return this.#pair;
  }

  async close(): Promise<void> {
    const pair = this.#pair;
    this.#pair = null;
    await Promise.all([pair?.source.close(), pair?.target?.close()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Null: connections are short, and the half that was open was given back. Otherwise loops that hold one half each would wait for each
   * other's. For a random time, so that one of them gets both.
   */
  async #openPair(yields: boolean): Promise<Pair | null> {
    const { definition, files } = this.#job();
    const source = await this.#context.open(definition.source, this.#signal);
    const patience = new AbortController();
    const timer = setTimeout(
      () => {
        if (yields && this.#context.contended()) patience.abort();
      },
      YIELD_MS * (1 + 4 * this.#context.random()),
    );
    using signal = anySignal(this.#signal, patience.signal);
    try {
      return { source, target: files === null ? await this.#context.open(definition.target, signal) : null };
    } catch (error) {
      await source.close();
      if (!patience.signal.aborted || this.#signal.aborted) throw error;
    } finally {
      clearTimeout(timer);
    }
    await sleep(YIELD_MS * this.#context.random(), this.#signal);
    return null;
  }
}
