/** So many runs at once may use the same thing. */
export type Limit = { readonly of: string; readonly most: number };

type Waiter = { readonly limits: readonly Limit[]; readonly wake: () => void };

/** Lets runs begin as far as the limits of databases, syncs and the whole daemon allow; who waits longest goes first. */
export class Admission {
  readonly #used = new Map<string, number>();
  /** In the order they came. */
  readonly #waiting = new Map<object, Waiter>();

  /** A function that gives the place back, or null: `wake` is called when it is worth asking again. */
  enter(who: object, limits: readonly Limit[], wake: () => void): (() => void) | null {
    if (limits.length === 0) return () => undefined;
    if (!this.#hasRoom(limits) || this.#isBehind(who, limits)) {
      if (!this.#waiting.has(who)) this.#waiting.set(who, { limits, wake });
      return null;
    }
    this.#waiting.delete(who);
    for (const { of } of limits) this.#used.set(of, (this.#used.get(of) ?? 0) + 1);
    return () => this.#leave(limits);
  }

  /** It waits no more. */
  forget(who: object): void {
    if (this.#waiting.delete(who)) this.#wakeAll();
  }

  #leave(limits: readonly Limit[]): void {
    for (const { of } of limits) this.#used.set(of, Math.max(0, (this.#used.get(of) ?? 0) - 1));
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const { wake } of this.#waiting.values()) wake();
  }

  #hasRoom(limits: readonly Limit[]): boolean {
    return limits.every(({ of, most }) => (this.#used.get(of) ?? 0) < most);
  }

  /** Somebody came earlier who could begin now, and would take a place that this one wants. */
  #isBehind(who: object, limits: readonly Limit[]): boolean {
    for (const [other, waiter] of this.#waiting) {
      if (other === who) return false;
      if (waiter.limits.some(({ of }) => limits.some((limit) => limit.of === of)) && this.#hasRoom(waiter.limits)) return true;
    }
    return false;
  }
}
