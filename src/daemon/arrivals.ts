/**
 * Which kicks of a sync with several sources may be settled. A run brings home what one source has and then sends what is there; so a target has all that
 * was written before the kick only when its run began after every other source had brought home its part. Pure.
 */
export class Arrivals {
  /** By kick: the loops whose sources have brought home what they had when it was seen. */
  readonly #arrived = new Map<number, Set<string>>();

  /** `sources`: the targets of loops that bring something home; of these the own one does not count, as it brings home before it sends. */
  complete(kick: number, target: string, sources: readonly string[]): boolean {
    return sources.every((source) => source === target || this.#arrived.get(kick)?.has(source) === true);
  }

  /** Returns true when it is news. */
  arrive(kick: number, target: string): boolean {
    const there = this.#arrived.get(kick) ?? new Set<string>();
    this.#arrived.set(kick, there);
    if (there.has(target)) return false;
    there.add(target);
    return true;
  }

  /** Kicks that nobody waits for any more. */
  keep(waiting: ReadonlySet<number>): void {
    for (const kick of this.#arrived.keys()) if (!waiting.has(kick)) this.#arrived.delete(kick);
  }
}
