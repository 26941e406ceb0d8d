import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import { sql } from "../postgres/sql.ts";
import { rollbackQuietly, transaction } from "../postgres/transaction.ts";
import type { Batch, BatchTable, RunDefinition } from "../replicate/definition.ts";
import { planTable } from "../replicate/plan.ts";
import { take } from "../replicate/take.ts";
import { compareTable } from "./compare-table.ts";
import { hashesOf, lookUpStatement } from "./look-up.ts";
import type { ProofJob } from "./proof-job.ts";
import { proofOf, readUnproven, registerProof, remember } from "./proof-register.ts";
import { groupBySize, readProvenTables, type ProvenTable } from "./proven-table.ts";
import { touchedStatement, type TouchedKey } from "./touched.ts";

/** A table that a look looks at: by the keys touched, or as a whole. */
type Part = { readonly table: BatchTable; readonly proven: ProvenTable; readonly whole: boolean };

/** What one look found: at which state of the source, and which keys were not equal yet, by captured table. */
type Look = {
  readonly definition: RunDefinition;
  readonly batch: Batch;
  readonly suspects: ReadonlyMap<number, readonly (readonly string[])[]>;
  readonly whole: ReadonlySet<number>;
  readonly keys: number;
};

/** A table that differs in more keys than this is not on its way, but different. */
const FOLLOWED_KEYS = 10_000;

/**
 * Shows that two sides are equal while writers go on, and remembers what was shown. The source keeps a checkpoint for it like that of a target, so that deltas
 * tell what was touched since, over restarts. A look goes so:
 *
 *   source  snapshot, hash the rows of all keys touched since the last look
 *           a run that begins after it
 *   target  hash the same keys
 *
 * A key that differs was changed since the snapshot, or is really different. The next look tells: if it was not touched, and after another run still differs, it
 * is. Rows never touched are looked at once, table by table, in `bulk`; a truncated or rewritten table again. While nobody writes, one look is exact: `finish`.
 */
export class Proof {
  readonly #job: ProofJob;
  readonly #tables: ReadonlyMap<string, ProvenTable>;
  readonly #definition: RunDefinition;
  #last: Look | null = null;

  private constructor(job: ProofJob, tables: ReadonlyMap<string, ProvenTable>) {
    this.#job = job;
    this.#tables = tables;
    this.#definition = proofOf(job.definition);
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

  /** Every table that was not looked at as a whole yet, the small ones together; returns how many. Errors: not-equal. */
  async bulk(): Promise<number> {
    const wanted = await readUnproven(this.#job.source, this.#definition);
    for (const names of groupBySize([...this.#tables.values()].filter(({ name }) => wanted.has(displayName(name))))) {
      const group = new Set(names.map(displayName));
      const definition = { ...this.#definition, relations: this.#definition.relations.filter(({ name }) => group.has(displayName(name))) };
      const first = await this.#look(definition, null, this.#job.advance, false);
      await this.#look(definition, first, this.#job.advance, false);
      for (const table of group) this.#job.onTable?.(table);
    }
    return wanted.size;
  }

  /** What was touched since the last look; returns how many keys. Errors: not-equal. */
  async refresh(): Promise<number> {
    this.#last = await this.#look(this.#definition, this.#last, this.#job.advance, false);
    return this.#last.keys;
  }

  /** The same while nobody writes: nothing may differ. `lastRun` may be under way, if it began when nobody wrote any more. Errors: not-equal. */
  async finish(lastRun: () => Promise<unknown>): Promise<number> {
    return (await this.#look(this.#definition, this.#last, lastRun, true)).keys;
  }

  async #look(definition: RunDefinition, previous: Look | null, advance: () => Promise<unknown>, quiet: boolean): Promise<Look> {
    const { source, signal } = this.#job;
    signal?.throwIfAborted();
    try {
      const batch = await take(source, definition);
      const parts = this.#partsOf(batch, previous);
      const whole = parts.filter((part) => part.whole);
      const keyed = parts.filter((part) => !part.whole);
      const { seen, touched } = await this.#readSource(keyed, previous);
      if (whole.length === 0) await source.execute(sql("verify.end", "commit"));
      await advance();
      const suspects = await this.#compareKeys(keyed, seen);
      if (whole.length > 0) {
        for (const [captured, keys] of await this.#compareWhole(whole)) suspects.set(captured, keys);
        await source.execute(sql("verify.end", "commit"));
      }
      this.#accuse(
        parts,
        suspects,
        (captured, id) => quiet || (wasSuspect(previous, captured, id) && touched.get(captured)?.has(id) === false),
      );
      if (previous !== null) await remember(source, previous.definition, previous.batch, previous.whole);
      return {
        definition,
        batch,
        suspects,
        whole: new Set(whole.map(({ table }) => table.captured)),
        keys: [...seen.values()].reduce((sum, keys) => sum + keys.length, 0),
      };
    } catch (error) {
      await rollbackQuietly(source);
      throw error;
    }
  }

  /** By the same judgement as a run's: what deltas do not tell is looked at as a whole. */
  #partsOf(batch: Batch, previous: Look | null): Part[] {
    return batch.tables.flatMap((table) => {
      const proven = this.#tables.get(displayName(table.name));
      if (proven === undefined) return [];
      // Looked at just now, and not remembered yet.
      if (previous?.whole.has(table.captured) && table.recopy) return [{ table, proven, whole: false }];
      const plan = planTable(table);
      if (plan === null && !previous?.suspects.has(table.captured)) return [];
      return [{ table, proven, whole: plan !== null && (plan.action !== "keys" || plan.gone.length > 0 || plan.joined.length > 0) }];
    });
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
    for (const { table, proven } of parts) {
      const left = (previous?.suspects.get(table.captured) ?? []).filter((key) => !touched.get(table.captured)!.has(idOf(key)));
      if (left.length === 0) continue;
      const [answer] = await source.batch([lookUpStatement(proven.lookups.source, left)]);
      const hashes = hashesOf(answer!.rows);
      seen.set(table.captured, [...(seen.get(table.captured) ?? []), ...left.map((key, n) => ({ key, hash: hashes.get(n) ?? null }))]);
    }
    return { seen, touched };
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

  async #compareWhole(parts: readonly Part[]): Promise<Map<number, (readonly string[])[]>> {
    return transaction(this.#job.target, { isolation: "repeatable read", readOnly: true }, async () => {
      const suspects = new Map<number, (readonly string[])[]>();
      for (const { table, proven } of parts) {
        const { equal, differences, complete, table: name } = await compareTable({ ...proven.job, limit: FOLLOWED_KEYS });
        if (!complete) throw differs(name, `in more than ${FOLLOWED_KEYS} keys`);
        if (!equal)
          suspects.set(
            table.captured,
            differences.map(({ key }) => key),
          );
      }
      return suspects;
    });
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

function idOf(key: readonly string[]): string {
  return JSON.stringify(key);
}

function wasSuspect(previous: Look | null, captured: number, id: string): boolean {
  return previous?.suspects.get(captured)?.some((key) => idOf(key) === id) ?? false;
}

function differs(table: string, how: string): BucardoError {
  return new BucardoError("not-equal", `${table} differs between the two sides ${how}`, { table });
}
