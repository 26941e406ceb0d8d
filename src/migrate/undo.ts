import { withTimeout } from "../base/abort.ts";
import { BucardoError } from "../model/error.ts";
import { toBucardoError } from "../postgres/failure.ts";

/** A server that does not answer must not keep us from the rest. */
const PATIENCE_MS = 5000;

/** What has to be taken back, last first; each within some seconds and whatever becomes of the others. */
export class Undo {
  readonly #works: { readonly what: string; readonly work: () => Promise<unknown>; readonly patienceMs: number }[] = [];

  /** `what` completes "could not ...". */
  add(what: string, work: () => Promise<unknown>, patienceMs = PATIENCE_MS): void {
    this.#works.push({ what, work, patienceMs });
  }

  /** Nothing is taken back any more. */
  forget(): void {
    this.#works.length = 0;
  }

  /** Returns what could not be taken back, as sentences. */
  async run(): Promise<string[]> {
    const failures: string[] = [];
    for (let next = this.#works.pop(); next !== undefined; next = this.#works.pop()) {
      const { what, work, patienceMs } = next;
      const late = () => new BucardoError("timeout", `no answer within ${patienceMs / 1000} s`);
      await withTimeout(patienceMs, undefined, late, work).catch((error: unknown) =>
        failures.push(`Could not ${what}: ${toBucardoError(error, {}).message}`),
      );
    }
    return failures;
  }
}
