import { reach } from "../base/point.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { sql } from "../postgres/sql.ts";
import { isInTransaction, rollbackQuietly, transaction } from "../postgres/transaction.ts";
import type { Batch, BatchTable, RunDefinition } from "../replicate/definition.ts";
import { planTable } from "../replicate/plan.ts";
import { take } from "../replicate/take.ts";
import { compareTable } from "./compare-table.ts";
import { PIECE_BYTES } from "./cut-table.ts";
import { hashesOf, lookUpStatement } from "./look-up.ts";
import { differs, FOLLOWED_KEYS } from "./not-equal.ts";
import type { ProofJob } from "./proof-job.ts";
import { beginAgain } from "./proof-piece.ts";
import { remember } from "./proof-register.ts";
import type { ProvenTable } from "./proven-table.ts";
import type { TablePrint } from "./table-hash.ts";
import { touchedStatement, type TouchedKey } from "./touched.ts";

/** A table that a look looks at: by the keys touched, or as a whole. */
type Part = { readonly table: BatchTable; readonly proven: ProvenTable; readonly whole: boolean };

/** A table that was looked at as a whole. */
type Whole = { readonly name: QualifiedName; readonly print: TablePrint };

/** What one look found: at which state of the source, and which keys were not equal yet, by captured table. */
export type Look = {
  readonly definition: RunDefinition;
  readonly batch: Batch;
  readonly suspects: ReadonlyMap<number, readonly (readonly string[])[]>;
  readonly whole: ReadonlyMap<number, Whole>;
  readonly keys: number;
  /** Large tables that must be looked at as a whole once more. */
  readonly again: boolean;
};

/** More deltas than this are looked at in packs, so that the memory does not depend on how long nobody looked. */
const AT_ONCE_KEYS = 50_000;
const PACK_KEYS = 10_000;

/** It is looked at in pieces, by others. */
export function isLarge({ bytes, ranges }: ProvenTable, { pieceBytes = PIECE_BYTES }: Pick<ProofJob, "pieceBytes">): boolean {
  return ranges !== null && bytes > pieceBytes;
}

/**
 * One look at what was touched since the last one:
 *
 *   source  snapshot, hash the rows of all keys touched since the last look
 *           a run that begins after it
 *   target  hash the same keys
 *
 * A key that differs was changed since the snapshot, or is really different. The next look tells: if it was not touched, and after another run still differs, it
 * is. What deltas do not tell of is looked at as a whole, or begins again where it is large.
 */
export class Looker {
  readonly #job: ProofJob;
  readonly #sync: string;
  readonly #tables: ReadonlyMap<string, ProvenTable>;

  constructor(job: ProofJob, sync: string, tables: ReadonlyMap<string, ProvenTable>) {
    this.#job = job;
    this.#sync = sync;
    this.#tables = tables;
  }

  /** `previous`: the look before; null: as it is remembered. `quiet`: nobody writes, nothing may differ. Errors: not-equal. */
  async look(definition: RunDefinition, previous: Look | null, advance: () => Promise<unknown>, quiet: boolean): Promise<Look> {
    const { source, signal } = this.#job;
    signal?.throwIfAborted();
    try {
      const batch = await take(source, definition);
      const { parts, again } = this.#partsOf(batch, previous, quiet);
      const whole = parts.filter((part) => part.whole);
      const keyed = parts.filter((part) => !part.whole);
      const many = keyed.reduce((sum, { table }) => sum + table.deltas, 0) > (this.#job.keysAtOnce ?? AT_ONCE_KEYS);
      const found = many
        ? await this.#lookInPacks(keyed, previous, advance)
        : await this.#lookAtOnce(keyed, previous, advance, whole.length === 0);
      const { suspects, touched, keys } = found;
      const seen = await this.#compareWhole(whole, suspects);
      if (isInTransaction(source)) await source.execute(sql("verify.end", "commit"));
      this.#accuse(
        parts,
        suspects,
        (captured, id) => quiet || (wasSuspect(previous, captured, id) && touched.get(captured)?.has(id) === false),
      );
      // Before anything is remembered of it.
      if (again.length > 0) await beginAgain(source, this.#sync, again);
      if (previous !== null) {
        for (const { name, print } of previous.whole.values()) await this.#job.onPrint?.(name, print);
        await reach("verify.looked");
        await remember(source, previous.definition, previous.batch, new Set(previous.whole.keys()));
        await reach("verify.remembered");
      }
      return { definition, batch, suspects, whole: seen, keys, again: again.length > 0 };
    } catch (error) {
      await rollbackQuietly(source);
      throw error;
    }
  }

  /** By the same judgement as a run's: what deltas do not tell is looked at as a whole. `again`: captured tables that are too large to be looked at here. */
  #partsOf(batch: Batch, previous: Look | null, quiet: boolean): { parts: Part[]; again: number[] } {
    const again: number[] = [];
    const parts = batch.tables.flatMap((table): Part[] => {
      const proven = this.#tables.get(displayName(table.name));
      if (proven === undefined) return [];
      // Looked at just now, and not remembered yet.
      if (previous?.whole.has(table.captured) && table.recopy) return [{ table, proven, whole: false }];
      const plan = planTable(table);
      if (plan === null && !previous?.suspects.has(table.captured)) return [];
      const whole = plan !== null && (plan.action !== "keys" || plan.gone.length > 0 || plan.joined.length > 0);
      if (!whole || quiet || !isLarge(proven, this.#job)) return [{ table, proven, whole }];
      again.push(table.captured);
      return [];
    });
    return { parts, again };
  }

  /** The source is read before the run, and let go of: its snapshot lives for a moment. */
  async #lookAtOnce(parts: readonly Part[], previous: Look | null, advance: () => Promise<unknown>, last: boolean): Promise<Found> {
    const { source } = this.#job;
    const { seen, touched } = await this.#readSource(parts, previous);
    if (last) await source.execute(sql("verify.end", "commit"));
    await advance();
    return { suspects: await this.#compareKeys(parts, seen), touched, keys: countKeys(seen) };
  }

  /** After a long time without a look: the run first, then some keys at a time, in the same snapshot. */
  async #lookInPacks(parts: readonly Part[], previous: Look | null, advance: () => Promise<unknown>): Promise<Found> {
    const { source, signal } = this.#job;
    await advance();
    const found: Found = { suspects: new Map(), touched: new Map(), keys: 0 };
    for (const part of parts) {
      const { captured, generations, cutoff } = part.table;
      const waiting = new Set((previous?.suspects.get(captured) ?? []).map(idOf));
      const touched = new Set<string>();
      found.touched.set(captured, touched);
      const look = async (seen: TouchedKey[]): Promise<void> => {
        found.keys += seen.length;
        const differing = (await this.#compareKeys([part], new Map([[captured, seen]]))).get(captured) ?? [];
        const all = [...(found.suspects.get(captured) ?? []), ...differing];
        if (all.length > FOLLOWED_KEYS) throw differs(displayName(part.table.name), `in more than ${FOLLOWED_KEYS} keys`);
        if (all.length > 0) found.suspects.set(captured, all);
      };
      if (generations.length > 0) {
        const { text } = touchedStatement(part.table, previous?.batch.snapshot ?? cutoff, part.proven);
        await source.execute(sql("verify.open-touched", `declare bucardo_touched no scroll cursor for ${text}`));
        for (;;) {
          signal?.throwIfAborted();
          const seen = await source.query<TouchedKey>(sql("verify.next-touched", `fetch ${PACK_KEYS} from bucardo_touched`));
          if (seen.length === 0) break;
          for (const { key } of seen) if (waiting.has(idOf(key))) touched.add(idOf(key));
          await look(seen);
        }
        await source.execute(sql("verify.close-touched", "close bucardo_touched"));
      }
      const left = await this.#readLeft(part, previous, touched);
      if (left.length > 0) await look(left);
    }
    return found;
  }

  /** Keys touched since the last look, and those that were suspect then, with their rows as the snapshot has them. */
  async #readSource(
    parts: readonly Part[],
    previous: Look | null,
  ): Promise<{ seen: Map<number, TouchedKey[]>; touched: Map<number, Set<string>> }> {
    const { source } = this.#job;
    const asked = parts.filter(({ table }) => table.generations.length > 0);
    const statements = asked.map(({ table, proven }) => touchedStatement(table, previous?.batch.snapshot ?? table.cutoff, proven));
    const answers = statements.length === 0 ? [] : await source.batch(statements);
    const seen = new Map(asked.map(({ table }, index) => [table.captured, [...answers[index]!.rows] as TouchedKey[]]));
    const touched = new Map(
      parts.map(({ table: { captured } }) => [captured, new Set((seen.get(captured) ?? []).map(({ key }) => idOf(key)))]),
    );
    for (const part of parts) {
      const { captured } = part.table;
      const left = await this.#readLeft(part, previous, touched.get(captured)!);
      if (left.length > 0) seen.set(captured, [...(seen.get(captured) ?? []), ...left]);
    }
    return { seen, touched };
  }

  /** Those that were suspect at the last look and were not touched since. */
  async #readLeft({ table, proven }: Part, previous: Look | null, touched: ReadonlySet<string>): Promise<TouchedKey[]> {
    const left = (previous?.suspects.get(table.captured) ?? []).filter((key) => !touched.has(idOf(key)));
    if (left.length === 0) return [];
    const [answer] = await this.#job.source.batch([lookUpStatement(proven.lookups.source, left)]);
    const hashes = hashesOf(answer!.rows);
    return left.map((key, n) => ({ key, hash: hashes.get(n) ?? null }));
  }

  async #compareKeys(
    parts: readonly Part[],
    seen: ReadonlyMap<number, readonly TouchedKey[]>,
  ): Promise<Map<number, (readonly string[])[]>> {
    const asked = parts.filter(({ table }) => (seen.get(table.captured) ?? []).length > 0);
    const suspects = new Map<number, (readonly string[])[]>();
    if (asked.length === 0) return suspects;
    const answers = await this.#job.target.batch(
      asked.map(({ table, proven }) =>
        lookUpStatement(
          proven.lookups.target,
          seen.get(table.captured)!.map(({ key }) => key),
        ),
      ),
    );
    asked.forEach(({ table }, index) => {
      const hashes = hashesOf(answers[index]!.rows);
      const differing = seen.get(table.captured)!.filter(({ hash }, n) => hash !== (hashes.get(n) ?? null));
      if (differing.length > 0)
        suspects.set(
          table.captured,
          differing.map(({ key }) => key),
        );
    });
    return suspects;
  }

  /** What differs is added to `suspects`. */
  async #compareWhole(parts: readonly Part[], suspects: Map<number, (readonly string[])[]>): Promise<Map<number, Whole>> {
    const seen = new Map<number, Whole>();
    if (parts.length === 0) return seen;
    await transaction(this.#job.target, { isolation: "repeatable read", readOnly: true }, async () => {
      for (const { table, proven } of parts) {
        const { sourceRows, sourceHash, differences, complete, ...found } = await compareTable({ ...proven.job, limit: FOLLOWED_KEYS });
        if (!complete) throw differs(found.table, `in more than ${FOLLOWED_KEYS} keys`);
        if (!found.equal)
          suspects.set(
            table.captured,
            differences.map(({ key }) => key),
          );
        seen.set(table.captured, {
          name: proven.name,
          print: { rows: sourceRows, hash: sourceHash, onTheWay: differences.length },
        });
      }
    });
    return seen;
  }

  #accuse(
    parts: readonly Part[],
    suspects: ReadonlyMap<number, readonly (readonly string[])[]>,
    really: (captured: number, id: string) => boolean,
  ): void {
    for (const { table } of parts) {
      const guilty = (suspects.get(table.captured) ?? []).filter((key) => really(table.captured, idOf(key)));
      if (guilty.length > 0) throw differs(displayName(table.name), `in ${guilty.length} ${guilty.length === 1 ? "key" : "keys"}`);
    }
  }
}

/** `touched`: by captured table, of those that were suspect at the last look at least. */
type Found = { readonly suspects: Map<number, (readonly string[])[]>; readonly touched: Map<number, Set<string>>; keys: number };

function countKeys(seen: ReadonlyMap<number, readonly TouchedKey[]>): number {
  return [...seen.values()].reduce((sum, keys) => sum + keys.length, 0);
}

function idOf(key: readonly string[]): string {
  return JSON.stringify(key);
}

function wasSuspect(previous: Look | null, captured: number, id: string): boolean {
  return previous?.suspects.get(captured)?.some((key) => idOf(key) === id) ?? false;
}
