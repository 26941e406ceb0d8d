import { controlClock, grains, pruneSamples, RESTING_SECONDS, rollUpSamples, writeSamples, type Work } from "../control/sample.ts";
import type { Lease } from "./lease.ts";
import type { Tally } from "./tally.ts";

/** Writes the points of the plots into the control database, folds them into coarser ones and drops old ones. */
export class Historian {
  readonly #lease: Pick<Lease, "use">;
  readonly #tally: Tally;
  #sampledAt = -Infinity;
  #wholeAt = -Infinity;
  /** Until the first folding nobody knows how long no daemon has folded. */
  #folded = false;

  constructor(lease: Pick<Lease, "use">, tally: Tally) {
    this.#lease = lease;
    this.#tally = tally;
  }

  /** Call it often: it does something every ten seconds. `now` in milliseconds of a clock that never goes back. */
  async sample(now: number): Promise<void> {
    if (now - this.#sampledAt < grains[0].step * 1000) return;
    this.#sampledAt = now;
    const all = now - this.#wholeAt >= RESTING_SECONDS * 1000;
    const work: Work[] = this.#tally.take();
    const at = await this.#lease.use(controlClock);
    await this.#lease.use((session) => writeSamples(session, at, work, all));
    if (all) this.#wholeAt = now;
  }

  /** Every few minutes. */
  async fold(): Promise<void> {
    const [fine, middle, coarse] = grains;
    await this.#lease.use((session) => rollUpSamples(session, fine.step, middle.step, this.#folded ? 3 * middle.step : null));
    await this.#lease.use((session) => rollUpSamples(session, middle.step, coarse.step, this.#folded ? 1.5 * coarse.step : null));
    this.#folded = true;
    await this.#lease.use(pruneSamples);
  }
}
