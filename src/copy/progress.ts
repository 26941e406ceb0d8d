import { displayName } from "../model/name.ts";
import type { CopyProgress } from "./options.ts";
import type { Piece } from "./piece.ts";
import type { TableState } from "./state.ts";

/** The rate is that of so many last seconds. */
const WINDOW_MS = 10_000;
/** Between two reports. */
const REPORT_MS = 250;

type Entry = { readonly piece: Piece; bytes: number; rows: number };

/** What arrived and what is under way; tells the caller a few times a second. */
export class ProgressBook {
  paused = false;
  readonly #report: (progress: CopyProgress) => void;
  readonly #now: () => number;
  readonly #active = new Set<Entry>();
  readonly #marks: { at: number; bytes: number; disk: number }[] = [];
  readonly #totals: { tables: number; tablesDone: number; rows: number; bytes: number; disk: number; diskDone: number };
  #reportedAt = -Infinity;

  constructor(states: readonly TableState[], report: (progress: CopyProgress) => void, now: () => number = () => performance.now()) {
    const sum = (of: (state: TableState) => number) => states.reduce((total, state) => total + of(state), 0);
    this.#totals = {
      tables: states.length,
      tablesDone: states.filter((state) => state.done).length,
      rows: sum((state) => state.rows),
      bytes: sum((state) => state.bytes),
      disk: sum((state) => state.diskBytes),
      diskDone: sum((state) => state.diskBytesDone),
    };
    this.#report = report;
    this.#now = now;
  }

  begin(piece: Piece): { moved(bytes: number, rows: number): void } & Disposable {
    const entry: Entry = { piece, bytes: 0, rows: 0 };
    this.#active.add(entry);
    this.tell();
    return {
      moved: (bytes, rows) => {
        entry.bytes = bytes;
        entry.rows = rows;
        this.tell();
      },
      [Symbol.dispose]: () => void this.#active.delete(entry),
    };
  }

  done(piece: Piece, moved: { readonly rows: number; readonly bytes: number }, ended: boolean): void {
    this.#totals.rows += moved.rows;
    this.#totals.bytes += moved.bytes;
    this.#totals.diskDone += piece.bytesExpected;
    if (ended) this.#totals.tablesDone++;
    this.tell();
  }

  /** At once when `now`, else not more often than a few times a second. */
  tell(now = false): void {
    const at = this.#now();
    if (!now && at - this.#reportedAt < REPORT_MS) return;
    this.#reportedAt = at;
    this.#report(this.#current(at));
  }

  get totals(): { readonly tables: number; readonly rows: number; readonly bytes: number } {
    return this.#totals;
  }

  #current(at: number): CopyProgress {
    const active = [...this.#active];
    const { tables, tablesDone, disk } = this.#totals;
    const bytes = this.#totals.bytes + active.reduce((sum, entry) => sum + entry.bytes, 0);
    const diskDone = this.#totals.diskDone + active.reduce((sum, entry) => sum + Math.min(entry.bytes, entry.piece.bytesExpected), 0);
    this.#marks.push({ at, bytes, disk: diskDone });
    while (this.#marks.length > 2 && at - this.#marks[1]!.at > WINDOW_MS) this.#marks.shift();
    const first = this.#marks[0]!;
    const seconds = (at - first.at) / 1000;
    const diskRate = seconds > 0 ? (diskDone - first.disk) / seconds : 0;
    return {
      tables,
      tablesDone,
      rows: this.#totals.rows + active.reduce((sum, entry) => sum + entry.rows, 0),
      bytes,
      diskBytes: disk,
      diskBytesDone: diskDone,
      bytesPerSecond: seconds > 0 ? Math.max(0, Math.round((bytes - first.bytes) / seconds)) : 0,
      secondsLeft: diskRate > 0 ? Math.max(0, Math.ceil((disk - diskDone) / diskRate)) : null,
      paused: this.paused,
      active: [...new Set(active.map((entry) => displayName(entry.piece.name)))],
      underWay: sumByTable(active),
    };
  }
}

function sumByTable(entries: readonly Entry[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { piece, bytes } of entries) {
    const table = displayName(piece.name);
    sums.set(table, (sums.get(table) ?? 0) + Math.min(bytes, piece.bytesExpected));
  }
  return sums;
}
