import { inOrder, isOfTable, type CustomCode, type Whenrun } from "../model/customcode.ts";
import { BucardoError } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { TableCounts } from "../model/run.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { ConflictPage, ConflictVerdict } from "../replicate/conflict-hook.ts";
import type { RunHooks, RunMoment, TableFailure } from "../replicate/hooks.ts";
import type { Log } from "../telemetry/log.ts";
import { statementsOf } from "./allowed.ts";
import { decidedBy, inputOf, verdictOf } from "./conflict.ts";
import { InsideDesk, OwnDesk, type Desk } from "./desk.ts";
import { RunEndedByCode } from "./ended.ts";
import { failureFor } from "./failure.ts";
import { readOutcome, type Outcome } from "./outcome.ts";
import { CodeProcess, type Limits } from "./process.ts";
import type { Winner } from "./winner.ts";

/** What one target of a sync has of custom code. */
export type CodeJob = {
  readonly sync: string;
  readonly source: string;
  readonly target: string;
  /** All databases of the sync: code outside of the transactions may have a handle of each. */
  readonly databases: readonly string[];
  readonly codes: readonly CustomCode[];
};

export type CodeWorld = {
  readonly open: (db: string, signal: AbortSignal) => Promise<Session>;
  readonly limits: () => Limits;
  /** True when the mail was taken. */
  readonly mail: (mail: unknown, signal: AbortSignal) => Promise<boolean>;
  readonly log: Log;
  readonly version: string;
};

/** By table; of all tables under "". */
type Winners = Map<string, Winner>;

/** Rows that were written or deleted so far, by schema and table. */
type Rows = Record<string, Record<string, { upserted: number; deleted: number }>>;

/**
 * The custom code of one sync towards one target: calls what there is at each point, in order, and does what it asks for. The process that runs it is
 * started when it is first needed and kept, with what the code put into `shared`.
 */
export class SyncCode implements AsyncDisposable {
  readonly #world: CodeWorld;
  readonly #job: CodeJob;
  readonly #codes: readonly CustomCode[];
  readonly #process: CodeProcess;
  /** Winners of the *_always forms, by table; of the whole sync under "". */
  readonly #always: Winners = new Map();

  constructor(world: CodeWorld, job: CodeJob) {
    this.#world = world;
    this.#job = job;
    this.#codes = inOrder(job.codes);
    this.#process = new CodeProcess((line) => world.log.info(`Custom code printed: ${line}`));
  }

  /** Before anything of the run: before_sync, before_txn. Errors: RunEndedByCode, run-void (redo), customcode-failed, customcode-killed. */
  async before(signal: AbortSignal): Promise<void> {
    for (const whenrun of ["before_sync", "before_txn"] as const) await this.#outside(whenrun, signal, []);
  }

  /** When the run is settled: after_txn, after_sync. After a crash they may be called again for a run that carries nothing. */
  async after(signal: AbortSignal, tables: readonly TableCounts[]): Promise<void> {
    for (const whenrun of ["after_txn", "after_sync"] as const) await this.#outside(whenrun, signal, tables);
  }

  /** For one run. */
  hooks(signal: AbortSignal): RunHooks {
    const winners: Winners = new Map();
    return {
      at: (point, moment) => this.#inside(point, signal, moment),
      handles: (table) => this.#at("exception", table).length > 0,
      failed: (failure) => this.#failed(signal, failure),
      conflict: this.#codes.some(({ whenrun }) => whenrun === "conflict")
        ? { decide: (page, until) => this.#decide(page, until, winners) }
        : null,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }

  async #outside(whenrun: Whenrun, signal: AbortSignal, tables: readonly TableCounts[]): Promise<void> {
    for (const code of this.#at(whenrun, null)) {
      await using desk = new OwnDesk(code.getdbh ? this.#job.databases : [], (db, until) => this.#world.open(db, until));
      if (code.language === "sql") {
        const session = await desk.session(code.db ?? this.#job.target, signal);
        await session.script(sql("customcode.script", code.text));
        continue;
      }
      const outcome = await this.#call(code, desk, signal, { rows: rowsOf(tables) });
      const isOver = whenrun.startsWith("after_");
      if (isOver ? outcome.endsync || outcome.redo : stopIf(outcome, code)) return;
      if (outcome.lastcode) return;
    }
  }

  async #inside(whenrun: Whenrun, signal: AbortSignal, moment: RunMoment): Promise<void> {
    for (const code of this.#at(whenrun, moment.table)) {
      await using desk = this.#deskOf(moment);
      if (code.language === "sql") {
        await this.#execute(code, desk, signal);
        continue;
      }
      const about = { rows: rowsOf(moment.tables), ...nameParts(moment.table) };
      const outcome = await this.#call(code, desk, signal, about);
      if (stopIf(outcome, code) || outcome.lastcode) return;
    }
  }

  async #failed(signal: AbortSignal, failure: TableFailure): Promise<boolean> {
    const { error, table, attempts, incoming, tables } = failure;
    const { message, code: sqlstate, detail, constraint, column } = failureFor(error);
    for (const code of this.#at("exception", table)) {
      await using desk = this.#deskOf(failure);
      this.#world.log.info(
        { table: displayName(table), sqlstate },
        `Custom code "${code.name}" is asked about a failure of ${displayName(table)}.`,
      );
      if (code.language === "sql") {
        await this.#execute(code, desk, signal);
        return true;
      }
      const about = { error_string: message, sqlstate, detail, constraint, column, attempts, incoming, dbname: failure.target.name };
      const outcome = await this.#call(code, desk, signal, { rows: rowsOf(tables), ...nameParts(table), ...about });
      if (stopIf(outcome, code)) return false;
      if (outcome.retry) return true;
      if (outcome.lastcode) return false;
    }
    return false;
  }

  /** Asks each piece of code in turn about what the ones before it left open. */
  async #decide(page: ConflictPage, signal: AbortSignal, ofRun: Winners): Promise<ConflictVerdict | null> {
    const settled = [ofRun, this.#always].flatMap((known) => known.get(page.table) ?? known.get("") ?? [])[0];
    if (settled !== undefined) return verdictOf(new Map(), { ...settled, how: "tablewinner" }, null);
    const winners = new Map<number, string>();
    for (const code of this.#codes.filter(({ whenrun, table }) => whenrun === "conflict" && (table === null || table === page.table))) {
      const images = () => page.images(page.conflicts);
      const about = { ...inputOf(page), ...nameParts(splitName(page.table)) };
      await using desk = new OwnDesk(this.#job.databases, (db, until) => this.#world.open(db, until), true);
      const { outcome, output } = await this.#run(code, desk, signal, about, images);
      stopIf(outcome, code);
      for (const [position, db] of outcome.skip ? [] : decidedBy(page, output)) if (!winners.has(position)) winners.set(position, db);
      if (outcome.winner !== null) {
        const { how } = outcome.winner;
        (how.endsWith("_always") ? this.#always : ofRun).set(how.startsWith("table") ? page.table : "", outcome.winner);
        return verdictOf(winners, outcome.winner, outcome.message);
      }
      if (outcome.lastcode || winners.size === page.conflicts.length) break;
    }
    return verdictOf(winners, null, null);
  }

  /** Statements of a SQL handler, one after the other on its database. */
  async #execute(code: CustomCode, desk: Desk, signal: AbortSignal): Promise<void> {
    for (const text of statementsOf(code.text)) {
      try {
        await desk.query(code.db ?? this.#job.target, text, [], signal);
      } catch (error) {
        if (!(error instanceof BucardoError) || error.retry !== "never") throw error;
        const { db, table, sqlstate } = error.details;
        throw new BucardoError("customcode-failed", `Custom code "${code.name}": ${error.message}`, {
          ...(db !== undefined && { db }),
          ...(table !== undefined && { table }),
          ...(sqlstate !== undefined && { sqlstate }),
          cause: error,
        });
      }
    }
  }

  #deskOf({ source, target }: RunMoment): InsideDesk {
    return new InsideDesk(
      new Map([
        [this.#job.source, source],
        [this.#job.target, target],
      ]),
    );
  }

  /** Code of the point, in order; that of a table only where the point is of a table. */
  #at(whenrun: Whenrun, table: QualifiedName | null): CustomCode[] {
    const name = table === null ? null : displayName(table);
    return this.#codes.filter((code) => code.whenrun === whenrun && (code.table === null || !isOfTable(whenrun) || code.table === name));
  }

  async #call(code: CustomCode, desk: Desk, signal: AbortSignal, about: Readonly<Record<string, unknown>>): Promise<Outcome> {
    return (await this.#run(code, desk, signal, about)).outcome;
  }

  async #run(
    code: CustomCode,
    desk: Desk,
    signal: AbortSignal,
    about: Readonly<Record<string, unknown>>,
    images?: () => Promise<unknown>,
  ): Promise<{ outcome: Outcome; output: Readonly<Record<string, unknown>> }> {
    const { sync, source, target } = this.#job;
    const { log, version, mail } = this.#world;
    const input = { syncname: sync, sourcename: source, targetname: target, version, whenrun: code.whenrun, name: code.name, ...about };
    const call = {
      name: code.name,
      checksum: code.checksum,
      text: code.text,
      input,
      databases: code.getdbh ? desk.databases : [],
      desk: {
        query: (...of: Parameters<Desk["query"]>) => desk.query(...of),
        ask: (what: string, argument: unknown, until: AbortSignal) =>
          what === "images" && images !== undefined ? images() : mail(argument, until),
      },
      signal,
    };
    const output = await this.#process.call(call, this.#world.limits());
    const outcome = readOutcome(output);
    const place = `${code.whenrun} code "${code.name}"`;
    if (outcome.message !== null) log.info(`Message from ${place}: ${outcome.message}`);
    if (outcome.warning !== null) log.warn(`Warning of ${place}: ${outcome.warning}`);
    if (outcome.error !== null) throw new BucardoError("customcode-failed", `Custom code "${code.name}" says: ${outcome.error}`);
    return { outcome, output };
  }
}

/** Throws what ends the run; never true, so that it can stand in a condition. */
function stopIf({ endsync, redo }: Outcome, { name }: CustomCode): false {
  if (endsync) throw new RunEndedByCode(name);
  if (redo) throw new BucardoError("run-void", `custom code "${name}" asked for the run to begin again`);
  return false;
}

function nameParts(table: QualifiedName | null): { schemaname?: string; tablename?: string } {
  return table === null ? {} : { schemaname: table.schema, tablename: table.name };
}

function splitName(table: string): QualifiedName {
  const dot = table.indexOf(".");
  return { schema: table.slice(0, dot), name: table.slice(dot + 1) };
}

function rowsOf(tables: readonly TableCounts[]): Rows {
  const rows: Rows = {};
  for (const { table, upserted, deleted } of tables) {
    const { schema, name } = splitName(table);
    (rows[schema] ??= {})[name] = { upserted, deleted };
  }
  return rows;
}
