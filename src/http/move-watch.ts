import { withTimeout } from "../base/abort.ts";
import { lookAt, openLook } from "../migrate/look.ts";
import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { readPair, type Pair } from "../operations/migrate/endpoints.ts";
import type { Served } from "../operations/serving.ts";
import { environmentOf } from "./call.ts";
import { viewMove } from "./move-view.ts";
import type { MigrationView } from "./page-types.ts";
import type { TurnBoard } from "./turn-board.ts";

const ANSWER_MS = 10_000;
/** A move may begin, or be finished, while we look: whether there is one is asked so often. */
const PAIR_MS = 5000;

/** Looks at a move for everybody who looks: the one that was named, else the last that this user began. */
export class MoveWatch implements AsyncDisposable {
  readonly #served: Pick<Served, "config" | "env" | "move">;
  readonly #board: TurnBoard;
  #session: Session | null = null;
  #pair: Pair | null = null;
  #askedAt = -Infinity;

  constructor(served: Pick<Served, "config" | "env" | "move">, board: TurnBoard) {
    this.#served = served;
    this.#board = board;
  }

  /** Which databases it is about; null: no move is known. */
  get pair(): Pair | null {
    const now = performance.now();
    if (now - this.#askedAt < PAIR_MS) return this.#pair;
    this.#askedAt = now;
    const pair = this.#find();
    // Another one, or another way to the same: not over the old connection.
    if (JSON.stringify(pair) !== JSON.stringify(this.#pair)) void this.rest();
    this.#pair = pair;
    return pair;
  }

  /** Null: no move is known, or it has not begun or was finished. Errors: those of connecting, timeout; the next call tries again. */
  async read(): Promise<MigrationView | null> {
    const { pair } = this;
    if (pair === null) return null;
    const late = (): BucardoError => new BucardoError("timeout", `the old side did not answer within ${ANSWER_MS / 1000} s`);
    try {
      return await withTimeout(ANSWER_MS, undefined, late, async (signal) => {
        if (this.#session?.lost.aborted) await this.rest();
        this.#session ??= await openLook(pair.old, signal);
        return viewMove(pair, await lookAt(this.#session), this.#board.turn, new Date());
      });
    } catch (error) {
      if (error instanceof BucardoError && error.code === "migration-missing") return null;
      await this.rest();
      throw error;
    }
  }

  /** Nobody looks for now. */
  async rest(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rest();
  }

  #find(): Pair | null {
    try {
      return readPair({}, { env: environmentOf(this.#served), config: this.#served.config });
    } catch {
      return null;
    }
  }
}
