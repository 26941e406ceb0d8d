import { Refused } from "./api.ts";

/** Something fetched for the view that shows it. What was fetched last stays while a newer one is on its way. */
export type Resource<Data> = {
  readonly data: Data | null;
  readonly refused: Refused | null;
  readonly loading: boolean;
};

type Entry = { data: unknown; refused: Refused | null; version: string; at: number; loading: AbortController | null; used: number };

/** Fetches what views ask for while they ask for it, again when its version differs or it is old, and forgets what nobody shows. */
export class Resources {
  readonly #entries = new Map<string, Entry>();
  readonly #changed: () => void;
  #drawing = 0;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** `version`: what it depends on; at another one it is fetched again, but not more often than every second. `everyMs`: how old it may be. */
  use<Data>(key: string, load: (signal: AbortSignal) => Promise<Data>, version = "", everyMs = 30_000): Resource<Data> {
    const entry = this.#entries.get(key) ?? { data: null, refused: null, version: "", at: -Infinity, loading: null, used: 0 };
    this.#entries.set(key, entry);
    entry.used = this.#drawing;
    const now = performance.now();
    const stale = now - entry.at > everyMs || (entry.version !== version && now - entry.at > 1000);
    // A refusal is not asked again until something is different.
    const hopeless = entry.refused !== null && entry.refused.status >= 400 && entry.refused.status < 500 && entry.version === version;
    if (stale && !hopeless && entry.loading === null) void this.#load(entry, load, version);
    return { data: entry.data as Data | null, refused: entry.refused, loading: entry.loading !== null };
  }

  async #load(entry: Entry, load: (signal: AbortSignal) => Promise<unknown>, version: string): Promise<void> {
    const controller = new AbortController();
    entry.loading = controller;
    const outcome = await outcomeOf(load(controller.signal));
    if (controller.signal.aborted) return;
    Object.assign(entry, { loading: null, at: performance.now(), version }, outcome);
    this.#changed();
  }

  /** Around a drawing: what it did not use goes. */
  begin(): void {
    this.#drawing++;
  }

  end(): void {
    for (const [key, entry] of this.#entries) {
      if (entry.used === this.#drawing) continue;
      entry.loading?.abort();
      this.#entries.delete(key);
    }
  }

  /** Everything is asked again: another token, or the server came back. */
  forget(): void {
    for (const entry of this.#entries.values()) Object.assign(entry, { at: -Infinity, refused: null });
  }
}

async function outcomeOf(loading: Promise<unknown>): Promise<Pick<Entry, "refused"> & Partial<Entry>> {
  try {
    return { data: await loading, refused: null };
  } catch (error) {
    return { refused: error instanceof Refused ? error : new Refused(unknown(error), 0) };
  }
}

function unknown(error: unknown): Refused["error"] {
  return { code: "page", message: error instanceof Error ? error.message : String(error), advice: "" };
}
