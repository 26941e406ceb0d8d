import type { GateFacts } from "./gate.ts";
import { Pooler, type PoolerRequest } from "./pooler.ts";
import type { Mark } from "./mark.ts";
import type { Undo } from "./undo.ts";
import { toBucardoError } from "../postgres/failure.ts";

/** All poolers as one: paused together, or not at all. */
export class Poolers implements AsyncDisposable {
  readonly #all: readonly Pooler[];
  readonly #broken: GateFacts["poolers"];

  private constructor(all: readonly Pooler[], broken: GateFacts["poolers"]) {
    this.#all = all;
    this.#broken = broken;
  }

  /** Those that do not answer show in `check`. */
  static async open(requests: readonly PoolerRequest[]): Promise<Poolers> {
    const opened = await Promise.allSettled(requests.map((request) => Pooler.open(request)));
    const all = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const broken = opened.flatMap((one, index) =>
      one.status === "fulfilled"
        ? []
        : [{ name: `pooler ${requests[index]!.console.name}`, problem: toBucardoError(one.reason, {}).message, warning: null }],
    );
    return new Poolers(all, broken);
  }

  get any(): boolean {
    return this.#all.length > 0;
  }

  async check(): Promise<GateFacts["poolers"]> {
    const checked = await Promise.all(
      this.#all.map(async (pooler) => ({
        name: pooler.name,
        ...(await pooler.check().catch((error: unknown) => ({ problem: toBucardoError(error, {}).message, warning: null }))),
      })),
    );
    return [...this.#broken, ...checked];
  }

  async pause(undo: Undo, signal: AbortSignal): Promise<void> {
    for (const pooler of this.#all) undo.add(`let the clients of ${pooler.name} go on`, () => pooler.takeBack());
    await Promise.all(this.#all.map((pooler) => pooler.pause(signal)));
  }

  async repoint(): Promise<void> {
    await Promise.all(this.#all.map((pooler) => pooler.repoint()));
  }

  /** Returns what went wrong, as sentences. */
  async resume(): Promise<string[]> {
    const results = await Promise.allSettled(this.#all.map((pooler) => pooler.resume()));
    return failures(results);
  }

  /** Entries as they are, for the mark. */
  async entries(): Promise<Mark["poolers"]> {
    const entries = await Promise.all(
      this.#all.map(async (pooler) => ({ ini: pooler.request.ini, database: pooler.request.database, entry: await pooler.entry() })),
    );
    return entries.flatMap(({ ini, database, entry }) => (ini === null || entry === null ? [] : [{ ini, database, entry }]));
  }

  /** After a crash before the decision: as the mark remembers them, and their clients go on. */
  async takeBack(mark: Mark | null): Promise<string[]> {
    return failures(
      await Promise.allSettled(
        this.#all.map((pooler) =>
          pooler.takeBack(
            mark?.poolers.find(({ ini, database }) => ini === pooler.request.ini && database === pooler.request.database)?.entry ?? null,
          ),
        ),
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((pooler) => pooler[Symbol.asyncDispose]()));
  }
}

function failures(results: readonly PromiseSettledResult<void>[]): string[] {
  return results.flatMap((one) => (one.status === "rejected" ? [toBucardoError(one.reason, {}).message] : []));
}
