import { readInCopy } from "../capture/in-copy.ts";
import { clearCopyState, writeCopyState } from "../control/target-state.ts";
import { afterCopy } from "../copy/after-copy.ts";
import { copyTables } from "../copy/copy-tables.ts";
import type { CopyOptions, CopyProgress } from "../copy/options.ts";
import { resetCopy } from "../copy/state.ts";
import { BucardoError } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { CopyState } from "../model/run.ts";
import { toBucardoError } from "../postgres/failure.ts";
import type { Session } from "../postgres/session.ts";
import type { Log } from "../telemetry/log.ts";
import type { DaemonContext } from "./context.ts";
import type { Job } from "./job.ts";
import { throttled } from "./progress.ts";

type Copying = { readonly tables: readonly QualifiedName[]; readonly abort: AbortController; readonly done: Promise<void> };

/**
 * Copies tables of one target in pieces while its runs go on with the others. What is to be copied stands on the source, so it goes on where it stood after
 * any end of the daemon. A copy that failed is told by the next run, and begun again by the one after that.
 */
export class Copier {
  readonly #context: DaemonContext;
  readonly #log: Log;
  /** Called when a copy has ended, well or not. */
  readonly #ended: () => void;
  #job: Job;
  #copying: Copying | null = null;
  #failure: BucardoError | null = null;
  /** What an earlier daemon, or an attempt that failed, has left is not known yet. */
  #mustLook = true;
  #stopped = false;

  constructor(context: DaemonContext, job: Job, ended: () => void) {
    this.#context = context;
    this.#job = job;
    this.#ended = ended;
    const { sync, target } = job.definition;
    this.#log = context.log.child({ sync: sync.name, target });
  }

  /** Tables are on their way that no run touches. */
  get active(): boolean {
    return this.#copying !== null || this.#failure !== null;
  }

  /** Those on their way that the sync still has. */
  get tables(): readonly QualifiedName[] {
    const wanted = this.#wanted();
    return (this.#copying?.tables ?? []).filter((table) => wanted.has(displayName(table)));
  }

  update(job: Job): void {
    this.#job = job;
  }

  /** Why the last copy ended, once. */
  takeFailure(): BucardoError | null {
    const failure = this.#failure;
    this.#failure = null;
    return failure;
  }

  /** Goes on with what is unfinished, if that is not known to be nothing. Errors: those of planning. */
  async resume(source: Session): Promise<void> {
    if (!this.#mustLook || this.#copying !== null) return;
    const wanted = this.#wanted();
    const unfinished = (await readInCopy(source, this.#job.definition)).filter((table) => wanted.has(displayName(table)));
    if (unfinished.length > 0) await this.#begin(unfinished);
    // A daemon that was killed said last how far it was.
    else await this.#context.lease.use((session) => clearCopyState(session, this.#job.definition.sync.id, this.#job.definition.target));
    this.#mustLook = false;
  }

  /** Copies these tables from the beginning, besides what is under way. Resolves when that is written down, so that it will be done. */
  async add(source: Session, tables: readonly QualifiedName[]): Promise<void> {
    const before = await this.#interrupt("more tables are to be copied");
    await resetCopy(source, this.#job.definition, tables);
    const names = new Set(tables.map(displayName));
    await this.#begin([...before.filter((table) => !names.has(displayName(table))), ...tables]);
  }

  #wanted(): ReadonlySet<string> {
    return new Set(this.#job.definition.relations.map((relation) => displayName(relation.name)));
  }

  /** Breaks it off; another daemon goes on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#interrupt("the daemon ends");
  }

  async #interrupt(why: string): Promise<readonly QualifiedName[]> {
    const copying = this.#copying;
    if (copying === null) return [];
    copying.abort.abort(new BucardoError("interrupted", why));
    await copying.done;
    return copying.tables;
  }

  async #begin(tables: readonly QualifiedName[]): Promise<void> {
    const abort = new AbortController();
    await new Promise<void>((resolve, reject) => {
      const onPlanned = (): void => {
        this.#log.info(`Copying in pieces: ${tables.map(displayName).join(", ")}.`);
        resolve();
      };
      this.#copying = { tables, abort, done: this.#follow(tables, abort.signal, onPlanned, reject) };
    });
  }

  /** Resolves when the copy has ended. What goes wrong before it is planned is the caller's, and what goes wrong later the next run's to tell. */
  async #follow(
    tables: readonly QualifiedName[],
    signal: AbortSignal,
    onPlanned: () => void,
    refuse: (error: unknown) => void,
  ): Promise<void> {
    const began = this.#context.now();
    let planned = false;
    try {
      const result = await this.#copy(tables, signal, () => {
        planned = true;
        onPlanned();
      });
      const ms = Math.round(this.#context.now() - began);
      this.#log.info(result, `Copied ${result.tables} tables in pieces: ${result.rows} rows in ${ms} ms.`);
      this.#end(null);
    } catch (error) {
      this.#mustLook = true;
      const failure = toBucardoError(error, { sync: this.#job.definition.sync.name });
      const told = planned && !signal.aborted;
      if (told) this.#log.error({ code: failure.code }, `The copy in pieces stopped: ${failure.message} ${failure.advice}`);
      this.#end(told ? failure : null);
      refuse(failure);
    }
  }

  #end(failure: BucardoError | null): void {
    this.#copying = null;
    this.#failure = failure;
    if (!this.#stopped) this.#ended();
  }

  async #copy(
    tables: readonly QualifiedName[],
    signal: AbortSignal,
    onPlanned: () => void,
  ): Promise<{ tables: number; rows: number; bytes: number }> {
    const { definition } = this.#job;
    const { sync, target } = definition;
    const { copy_jobs: jobs, copy_piece: pieceBytes, copy_rate: maxRate } = this.#context.settings();
    const terms = new Map(definition.relations.map((relation) => [displayName(relation.name), relation.terms]));
    const told = throttled<CopyState>(1000, (state) =>
      this.#context.lease.use((session) => writeCopyState(session, sync.id, target, state)),
    );
    const open = (name: string) => (): Promise<Session> => this.#context.open(name, signal);
    const options: CopyOptions = {
      sync,
      target,
      openSource: open(definition.source),
      openTarget: open(target),
      tables: tables.map(({ schema, name }) => ({ schema, name, terms: terms.get(displayName({ schema, name })) })),
      jobs,
      maxRate,
      pieceBytes: pieceBytes ?? Number.MAX_SAFE_INTEGER,
      signal,
      paused: () => this.#job.paused,
      onProgress: (progress) => told.push(stateOf(progress)),
      onPlanned,
    };
    try {
      const result = await copyTables(options);
      await this.#after(options);
      await this.#clear(options);
      return result;
    } finally {
      told.stop();
      await this.#context.lease.use((session) => writeCopyState(session, sync.id, target, null)).catch(() => undefined);
    }
  }

  async #after(options: CopyOptions): Promise<void> {
    try {
      await using session = await options.openTarget();
      const { definition, copying } = this.#job;
      const own = new Map(definition.relations.map((relation) => [displayName(relation.name), relation.copying]));
      const filled = options.tables.map(({ schema, name, terms }) => ({
        name: terms?.name ?? { schema, name },
        policy: { ...copying, ...own.get(displayName({ schema, name })) },
      }));
      await afterCopy(session, filled, (error) => this.#log.warn({ err: error }, "ANALYZE or VACUUM after the copy failed."));
    } catch (error) {
      this.#log.warn({ err: error }, "ANALYZE or VACUUM after the copy failed.");
    }
  }

  /** Nothing of it is needed any more; what cannot be cleared now goes with the next copy, or with the sync. */
  async #clear(options: CopyOptions): Promise<void> {
    try {
      await using source = await options.openSource();
      await resetCopy(source, options);
    } catch (error) {
      this.#log.debug({ err: error }, "What the copy has left on the source could not be cleared.");
    }
  }
}

function stateOf(progress: CopyProgress): CopyState {
  const { tables, tablesDone, rows, diskBytes, diskBytesDone, bytesPerSecond, secondsLeft, paused, active } = progress;
  return { tables, tablesDone, rows, diskBytes, diskBytesDone, bytesPerSecond, secondsLeft, paused, active };
}
