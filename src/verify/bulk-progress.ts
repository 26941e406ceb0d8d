import { displayName } from "../model/name.ts";
import type { ProofProgress } from "./proof-job.ts";
import type { PieceSums } from "./proof-piece.ts";
import type { ProvenTable } from "./proven-table.ts";

type Entry = { readonly table: string; bytes: number; bytesDone: number; inPieces: boolean };

/** How far a proof is that looks at whole tables. */
export class BulkProgress {
  readonly #report: (progress: ProofProgress) => void;
  readonly #entries: Map<string, Entry>;
  readonly #names = new Map<number, string>();
  #rows = 0;

  constructor(tables: readonly ProvenTable[], report: (progress: ProofProgress) => void = () => undefined) {
    this.#report = report;
    this.#entries = new Map(
      tables.map(({ name, bytes }) => [displayName(name), { table: displayName(name), bytes, bytesDone: 0, inPieces: false }]),
    );
    this.#tell();
  }

  /** A table is done, in one go. */
  whole(table: string): void {
    const entry = this.#entries.get(table);
    if (entry !== undefined) entry.bytesDone = entry.bytes;
    this.#tell();
  }

  /** What is known of the tables that are looked at in pieces, from earlier calls too. */
  pieces(sums: readonly PieceSums[], tables: ReadonlyMap<number, ProvenTable>): void {
    for (const { captured, bytes, bytesDone } of sums) {
      const found = tables.get(captured);
      if (found === undefined) continue;
      const table = displayName(found.name);
      this.#names.set(captured, table);
      this.#entries.set(table, { table, bytes, bytesDone, inPieces: true });
    }
    this.#tell();
  }

  shown(captured: number, bytes: number, rows: number): void {
    const entry = this.#entries.get(this.#names.get(captured) ?? "");
    if (entry !== undefined) entry.bytesDone += bytes;
    this.#rows += rows;
    this.#tell();
  }

  /** Tables that were looked at in pieces. */
  inPieces(): string[] {
    return [...this.#entries.values()].filter((entry) => entry.inPieces).map(({ table }) => table);
  }

  #tell(): void {
    const entries = [...this.#entries.values()];
    this.#report({
      bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
      bytesDone: entries.reduce((sum, { bytes, bytesDone }) => sum + Math.min(bytes, bytesDone), 0),
      rows: this.#rows,
      tables: entries.filter(({ inPieces }) => inPieces).map(({ table, bytes, bytesDone }) => ({ table, bytes, bytesDone })),
    });
  }
}
