import type { Session } from "../postgres/session.ts";

export type Pair = { readonly source: Session; readonly target: Session };

/**
 * The source and the target session of one target loop: opened when first needed, kept between runs, closed together. Never one without
 * the other: a run that lost one side is void, and the next begins on fresh connections (hazard 1).
 */
export class Connections implements AsyncDisposable {
  readonly #open: (side: "source" | "target") => Promise<Session>;
  #pair: Pair | null = null;

  constructor(open: (side: "source" | "target") => Promise<Session>) {
    this.#open = open;
  }

  get isOpen(): boolean {
    return this.#pair !== null;
  }

  async get(): Promise<Pair> {
    if (this.#pair !== null && (this.#pair.source.lost.aborted || this.#pair.target.lost.aborted)) await this.close();
    if (this.#pair === null) {
      const source = await this.#open("source");
      try {
        this.#pair = { source, target: await this.#open("target") };
      } catch (error) {
        await source.close();
        throw error;
      }
    }
    return this.#pair;
  }

  async close(): Promise<void> {
    const pair = this.#pair;
    this.#pair = null;
    await Promise.all([pair?.source.close(), pair?.target.close()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
