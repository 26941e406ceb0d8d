/** The kicks that one target still owes a run. */
export class KickBook {
  #waiting = new Set<number>();
  /** Seen by the last run, which failed and will be repeated: they ask for nothing more than that. */
  readonly #attempted = new Set<number>();
  /** Settled here lately, in case a list that was read before still has them. */
  #settled = new Set<number>();
  readonly #held = new Set<number>();

  get any(): boolean {
    return [...this.#waiting].some((id) => !this.#held.has(id));
  }

  /** Whether this target still owes one of them. */
  owes(id: number): boolean {
    return this.#waiting.has(id);
  }

  /** They wait for what other loops of the sync do first. */
  hold(ids: readonly number[]): void {
    for (const id of ids) this.#held.add(id);
  }

  free(id: number): void {
    this.#held.delete(id);
  }

  /** Some came after the last failed run had begun. */
  get anyNew(): boolean {
    return [...this.#waiting].some((id) => !this.#attempted.has(id) && !this.#held.has(id));
  }

  /** All that wait, as the control database has them. */
  replace(ids: readonly number[]): void {
    this.#waiting = new Set(ids.filter((id) => !this.#settled.has(id)));
    this.#settled = new Set(ids.filter((id) => this.#settled.has(id)));
  }

  settle(ids: readonly number[]): void {
    for (const id of ids) {
      this.#waiting.delete(id);
      this.#settled.add(id);
      this.#held.delete(id);
    }
    this.#attempted.clear();
  }

  /** A run that began with these waiting failed and is repeated by itself. */
  attempt(ids: readonly number[]): void {
    for (const id of ids) this.#attempted.add(id);
  }
}
