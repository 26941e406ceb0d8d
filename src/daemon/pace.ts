/** From so many rows a second on, fewer and larger runs do the source more good than quick ones do the target. */
export const BUSY_ROWS = 4000;
/** Between two runs of a busy source. */
export const BUSY_GAP_MS = 50;
const MEMORY_MS = 500;

/** How long to wait between runs that changes ask for: not at all, unless lately many rows came with them. */
export class Pace {
  /** Rows, each worth less as time goes by. */
  #rows = 0;
  #at = 0;

  ran(now: number, rows: number): void {
    this.#rows = this.#left(now) + rows;
    this.#at = now;
  }

  gapMs(now: number): number {
    return this.#left(now) > (BUSY_ROWS * MEMORY_MS) / 1000 ? BUSY_GAP_MS : 0;
  }

  #left(now: number): number {
    return this.#rows * Math.exp((this.#at - now) / MEMORY_MS);
  }
}
