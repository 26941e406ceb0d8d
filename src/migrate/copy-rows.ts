import { purge } from "../capture/purge.ts";
import { copyTables } from "../copy/copy-tables.ts";
import type { CopyProgress } from "../copy/options.ts";
import { readCopyState, type TableState } from "../copy/state.ts";
import { displayName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { NEW, openNew, openOld, syncOf, type Move, relationsOf, type PhaseResult } from "./move.ts";
import type { TableProgress } from "./progress.ts";
import { followImages } from "./runs.ts";

/** About so much of the old side's disk in one transaction: some seconds, so that a crash costs little and no snapshot lives long. */
const PIECE_BYTES = 256 * 1024 * 1024;
/** How often deltas get another table to grow in, so that a copy of days leaves many small ones. */
const TURN_MS = 30_000;
/** Tables that the picture has room for. */
const SHOWN = 6;

/** The rows as they are now, in pieces; what changes meanwhile is among the deltas. */
export async function copyRows(move: Move): Promise<PhaseResult> {
  const tables = relationsOf(move.migration).tables.filter((table) => table.handling === "follow");
  await using looker = await openOld(move, "copy state");
  const states = new StateBook(looker, move);
  const turning = setInterval(() => void states.turn(), TURN_MS);
  try {
    const result = await copyTables({
      sync: syncOf(move.migration),
      target: NEW,
      openSource: () => openOld(move, "copy"),
      openTarget: () => openNew(move, "copy"),
      tables: tables.map(({ schema, name }) => ({ schema, name })),
      jobs: move.migration.options.jobs,
      maxRate: move.migration.options.maxRate,
      pieceBytes: PIECE_BYTES,
      signal: move.signal,
      onProgress: (progress) => states.tell(progress),
    });
    move.report({ doing: "tables without key" });
    const images = await followImages(move, false);
    return { ...result, ...(images > 0 && { withoutKey: images }) };
  } finally {
    clearInterval(turning);
  }
}

/** How far each table is, asked for now and then; one question at a time. */
class StateBook {
  readonly #looker: Session;
  readonly #move: Move;
  #states: readonly TableState[] = [];
  #asking = false;
  #askedAt = -Infinity;

  constructor(looker: Session, move: Move) {
    this.#looker = looker;
    this.#move = move;
  }

  tell(progress: CopyProgress): void {
    this.#move.report({
      doing: `${progress.tablesDone} of ${progress.tables} tables`,
      done: progress.diskBytesDone,
      expected: progress.diskBytes,
      unit: "bytes",
      tables: chooseShown(this.#states, progress.underWay),
    });
    if (performance.now() - this.#askedAt > 1000) void this.#ask();
  }

  /** Housekeeping of the deltas; a failure shows at the next run. */
  async turn(): Promise<void> {
    await this.#alone(() => purge(this.#looker).then(() => undefined));
  }

  async #ask(): Promise<void> {
    this.#askedAt = performance.now();
    await this.#alone(async () => {
      this.#states = await readCopyState(this.#looker, { sync: syncOf(this.#move.migration), target: NEW });
    });
  }

  async #alone(work: () => Promise<void>): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    // The copy itself tells what is wrong with the server.
    await work().catch(() => undefined);
    this.#asking = false;
  }
}

/** Those that are copied, then the largest that wait. `underWay`: bytes of pieces that have not arrived yet, by table. Pure. */
export function chooseShown(states: readonly TableState[], underWay: ReadonlyMap<string, number>): TableProgress[] {
  const open = states.filter((state) => !state.done).map((state) => ({ ...state, table: displayName(state.name) }));
  const now = open.filter(({ table }) => underWay.has(table));
  const waiting = open.filter(({ table }) => !underWay.has(table));
  return [
    ...now.map((state) => shown(state, state.diskBytesDone + (underWay.get(state.table) ?? 0), "copies")),
    ...waiting.map((state) => shown(state, state.diskBytesDone, "waits")),
  ].slice(0, SHOWN);
}

function shown({ table, diskBytes }: TableState & { readonly table: string }, done: number, state: TableProgress["state"]): TableProgress {
  return { table, done: Math.min(done, diskBytes), expected: diskBytes, state };
}
