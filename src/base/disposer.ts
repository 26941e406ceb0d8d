type Release = () => unknown;

/**
 * Collects what must be undone and undoes it in the opposite order, each awaited, all of them even when one throws.
 * `await using cleanup = new Disposer(); cleanup.defer(() => server.stop());`
 */
export class Disposer implements AsyncDisposable {
  readonly #releases: Release[] = [];

  defer(release: Release): void {
    this.#releases.push(release);
  }

  /** Takes over a resource and returns it. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    this.defer(() => (Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : resource[Symbol.dispose]()));
    return resource;
  }

  /** Hands the duties over: this disposer then does nothing any more. */
  move(): Disposer {
    const heir = new Disposer();
    heir.#releases.push(...this.#releases.splice(0));
    return heir;
  }

  /** Throws the first error, or an AggregateError of several, after everything was tried. */
  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = [];
    for (let release = this.#releases.pop(); release; release = this.#releases.pop()) {
      try {
        await release();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, "several resources could not be released");
  }
}
