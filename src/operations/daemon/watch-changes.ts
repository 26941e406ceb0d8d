import type { RecentRate } from "../../control/rate.ts";
import type { Status, SyncStatus } from "./status-read.ts";
import { watchRow } from "./watch-row.ts";

/** One line of `watch --json`. */
export type WatchEvent = { readonly event: "daemon" | "sync" | "removed" | "trouble" } & Readonly<Record<string, unknown>>;

/** Remembers what was told, and tells only what differs since. */
export class Changes {
  readonly #told = new Map<string, string>();

  /** What is new in this look; at the first one everything. */
  of(status: Pick<Status, "alive" | "daemon" | "syncs">, rates: readonly RecentRate[]): WatchEvent[] {
    this.#told.delete("trouble");
    const events: WatchEvent[] = [daemonEvent(status), ...status.syncs.map((one) => syncEvent(one, rates))];
    const names = new Set(status.syncs.map(({ sync }) => `sync ${sync.name}`));
    for (const key of this.#told.keys()) {
      if (!key.startsWith("sync ") || names.has(key)) continue;
      this.#told.delete(key);
      events.push({ event: "removed", sync: key.slice(5) });
    }
    return events.filter((event) => this.#isNew(event));
  }

  /** Told once while it lasts. */
  trouble(message: string): WatchEvent[] {
    return [{ event: "trouble" as const, message }].filter((event) => this.#isNew(event));
  }

  #isNew(event: WatchEvent): boolean {
    if (event.event === "removed") return true;
    const [key, text] = [event.event === "sync" ? `sync ${String(event["sync"])}` : event.event, JSON.stringify(event)];
    if (this.#told.get(key) === text) return false;
    this.#told.set(key, text);
    return true;
  }
}

function daemonEvent({ alive, daemon }: Pick<Status, "alive" | "daemon">): WatchEvent {
  return { event: "daemon", alive, pid: daemon?.pid ?? null, host: daemon?.host ?? null, started: daemon?.started ?? null };
}

function syncEvent(of: SyncStatus, rates: readonly RecentRate[]): WatchEvent {
  const { name, word, deltas, ageSeconds, rate, last, notes } = watchRow(of, rates);
  return {
    event: "sync",
    sync: name,
    state: word,
    deltas,
    ageSeconds: ageSeconds === null ? null : Math.round(ageSeconds * 10) / 10,
    rowsPerSecond: rate === null ? null : Math.round(rate),
    lastRun: last === null ? null : { ended: last.ended, ms: last.ms, rows: last.rows, good: last.good },
    targets: of.targets.map(({ target, state, running }) => ({
      target,
      state: running === null ? (state?.state ?? null) : "Running",
      deltas: state?.deltas ?? null,
      ageSeconds: state?.lagSeconds ?? null,
      setAside: state?.setAside ?? 0,
    })),
    notes: notes.map(({ text, advice }) => ({ text, advice })),
  };
}
