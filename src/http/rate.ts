/** So many at once, and so many a second afterwards. */
export class Rate {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #now: () => number;
  #left: number;
  #at: number;

  constructor(burst: number, perSecond: number, now: () => number = () => performance.now()) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#now = now;
    this.#left = burst;
    this.#at = now();
  }

  /** False: one too many. */
  take(): boolean {
    const now = this.#now();
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

/** Lets so many work at a time, others wait their turn, and more than that are sent away: `enter` is null then. Call what it gives when the work is over. */
export class Gate {
  readonly #working: number;
  readonly #waiting: number;
  #inside = 0;
  readonly #queue: (() => void)[] = [];

  constructor(working: number, waiting: number) {
    this.#working = working;
    this.#waiting = waiting;
  }

  async enter(): Promise<(() => void) | null> {
    if (this.#inside >= this.#working) {
      if (this.#queue.length >= this.#waiting) return null;
      // Whoever leaves hands its place on.
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else this.#inside += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = this.#queue.shift();
      if (next === undefined) this.#inside -= 1;
      else next();
    };
  }
}
