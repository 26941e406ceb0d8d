import { anySignal } from "../base/abort.ts";
import { sleep } from "../base/sleep.ts";
import { readTables } from "../catalog/table.ts";
import { displayName } from "../model/name.ts";
import type { RunDefinition } from "../replicate/definition.ts";
import { BulkProgress } from "./bulk-progress.ts";
import { cutTable, PIECE_BYTES } from "./cut-table.ts";
import { isLarge, Looker, type Look } from "./looker.ts";
import { FOLLOWED_KEYS } from "./not-equal.ts";
import type { TablePair } from "./pair.ts";
import type { ProofJob } from "./proof-job.ts";
import { readPiecePrints, readPieceSums, writePieces } from "./proof-piece.ts";
import { proofOf, readUnproven, registerProof, type Unproven } from "./proof-register.ts";
import { lookAtPieces, type PieceWork } from "./proof-worker.ts";
import { groupBySize, readProvenTables, type ProvenTable } from "./proven-table.ts";
import { shareRuns } from "./share-runs.ts";

/** How often what was touched is looked at while pieces are: the deltas that a proof holds back stay few. */
const TURN_MS = 10_000;

/**
 * Shows that two sides are equal while writers go on, and remembers what was shown. The source keeps a checkpoint for it like that of a target, so that deltas
 * tell what was touched since, over restarts (looker.ts). Rows never touched are looked at once in `bulk`: small tables some together, large ones in ranges of their keys by several streams (proof-worker.ts), each in
 * a short snapshot of its own; what was shown is remembered piece by piece. A truncated or rewritten table is looked at again. While nobody writes, one look is
 * exact: `finish`.
 */
export class Proof {
  readonly #job: ProofJob;
  readonly #tables: ReadonlyMap<string, ProvenTable>;
  readonly #definition: RunDefinition;
  /** One run for all who wait for one. */
  readonly #advance: () => Promise<unknown>;
  readonly #looker: Looker;
  #last: Look | null = null;
  /** A large table has to be looked at as a whole once more. */
  #again = false;

  private constructor(job: ProofJob, tables: ReadonlyMap<string, ProvenTable>) {
    this.#job = job;
    this.#advance = shareRuns(job.advance);
    this.#tables = tables;
    this.#definition = proofOf(job.definition);
    this.#looker = new Looker(job, this.#definition.sync.id, tables);
  }

  /** Goes on with what an earlier one remembers. Errors: schema-mismatch. */
  static async open(job: ProofJob): Promise<Proof> {
    const tables = await readProvenTables(job);
    await registerProof(job);
    return new Proof(job, tables);
  }

  get tables(): number {
    return this.#tables.size;
  }

  /** Every table that was not looked at as a whole yet; returns how many. May be repeated after any end, and goes on with what is missing. Errors: not-equal. */
  async bulk(): Promise<number> {
    this.#last = null;
    const wanted = await this.#readUnproven();
    const progress = new BulkProgress(
      [...this.#tables.values()].filter(({ name }) => wanted.has(displayName(name))),
      this.#job.onProgress,
    );
    const small = [...this.#tables.values()].filter(
      (table) => wanted.get(displayName(table.name))?.begun === false && !isLarge(table, this.#job),
    );
    for (const names of groupBySize(small)) {
      const group = new Set(names.map(displayName));
      const definition = { ...this.#definition, relations: this.#definition.relations.filter(({ name }) => group.has(displayName(name))) };
      const first = await this.#looker.look(definition, null, this.#advance, false);
      await this.#looker.look(definition, first, this.#advance, false);
      for (const table of group) {
        progress.whole(table);
        this.#job.onTable?.(table);
      }
    }
    if (small.length < wanted.size) await this.#lookAtPieces(progress);
    await this.#tellPieces();
    return wanted.size;
  }

  /** Also of earlier calls: whoever asked them may have been killed before it heard. */
  async #tellPieces(): Promise<void> {
    const { source, onPrint } = this.#job;
    if (onPrint === undefined) return;
    for (const [name, print] of await readPiecePrints(source, this.#definition.sync.id)) {
      const table = this.#tables.get(name);
      if (table !== undefined) await onPrint(table.name, print);
    }
  }

  /** What was touched since the last look; returns how many keys. Errors: not-equal. */
  async refresh(): Promise<number> {
    await this.#turn();
    if (this.#again) {
      // What made it begin again is remembered by the look after.
      await this.#turn();
      await this.bulk();
      await this.#turn();
    }
    return this.#last?.keys ?? 0;
  }

  async #turn(): Promise<void> {
    this.#last = await this.#looker.look(this.#definition, this.#last, this.#advance, false);
    this.#again ||= this.#last.again;
  }

  /** Until none waits; meanwhile what is touched is looked at now and then, and whatever begins again is cut again. */
  async #lookAtPieces(progress: BulkProgress): Promise<void> {
    // Whatever happened to tables since their pieces were looked at shows before the rest is.
    for (let turn = 0; turn < 2; turn++) await this.#turn();
    do {
      this.#again = false;
      const captured = await this.#cutAll(progress);
      // The target has then reached the state from which on deltas are looked at.
      await this.#advance();
      await this.#streams(captured, progress);
      for (let turn = 0; turn < 2; turn++) await this.#turn();
    } while (this.#again || (await this.#readUnproven()).size > 0);
    for (const table of progress.inPieces()) this.#job.onTable?.(table);
  }

  async #readUnproven(): Promise<Map<string, Unproven>> {
    const all = await readUnproven(this.#job.source, this.#definition);
    return new Map([...all].filter(([name]) => this.#tables.has(name)));
  }

  /** Tables by capture number; those that are not cut yet are. */
  async #cutAll(progress: BulkProgress): Promise<Map<number, ProvenTable>> {
    const { source, pieceBytes = PIECE_BYTES } = this.#job;
    const found = new Map<number, ProvenTable>();
    for (const [name, { captured, begun }] of await this.#readUnproven()) {
      const table = this.#tables.get(name);
      if (table === undefined || table.ranges === null) continue;
      found.set(captured, table);
      // Partitions may have come and gone since this proof was opened.
      if (!begun)
        await writePieces(
          source,
          this.#definition.sync.id,
          captured,
          await cutTable(source, await this.#pairNow(table), table.ranges, pieceBytes),
        );
    }
    progress.pieces(await readPieceSums(source, this.#definition.sync.id), found);
    return found;
  }

  async #pairNow({ name, job: { table } }: ProvenTable): Promise<TablePair> {
    const { source, target } = this.#job;
    const [here, there] = [await readTables(source, [name], { bounds: false }), await readTables(target, [name], { bounds: false })];
    const key = this.#tables.get(displayName(name))!.job.key;
    return { source: here.get(displayName(name)) ?? table.source, target: there.get(displayName(name)) ?? table.target, key };
  }

  async #streams(captured: ReadonlyMap<number, ProvenTable>, progress: BulkProgress): Promise<void> {
    const job = this.#job;
    const failure = new AbortController();
    using signal = anySignal(job.signal, failure.signal);
    const work: PieceWork = {
      sync: this.#definition.sync.id,
      open: job.open,
      tables: captured,
      advance: this.#advance,
      paused: () => job.paused?.() ?? false,
      followedKeys: job.followedKeys ?? FOLLOWED_KEYS,
      signal,
      taken: new Set(),
      accused: new Set(),
      shown: ({ captured: id, bytes }, rows) => progress.shown(id, bytes, rows),
    };
    const streams = Array.from({ length: Math.max(1, job.jobs ?? 1) }, () =>
      lookAtPieces(work).catch((error: unknown) => failure.abort(error)),
    );
    const done = new AbortController();
    const ended = Promise.all(streams).then(() => done.abort());
    using idle = anySignal(signal, done.signal);
    while (!idle.aborted) {
      await sleep(TURN_MS, idle).catch(() => undefined);
      if (!idle.aborted) await this.#turn().catch((error: unknown) => failure.abort(error));
    }
    await ended;
    job.signal?.throwIfAborted();
    if (failure.signal.aborted) throw failure.signal.reason;
  }

  /** The same while nobody writes: nothing may differ. `lastRun` may be under way, if it began when nobody wrote any more. Errors: not-equal. */
  async finish(lastRun: () => Promise<unknown>): Promise<number> {
    return (await this.#looker.look(this.#definition, this.#last, lastRun, true)).keys;
  }
}
