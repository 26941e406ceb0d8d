import { invariant } from "../base/invariant.ts";
import { reach } from "../base/point.ts";
import { closeRun, openRun, reportProgress, type OpenRun, type RunEnd } from "../control/run.ts";
import { markCopied } from "../control/target-state.ts";
import { RunEndedByCode } from "../customcode/ended.ts";
import { afterCopy } from "../copy/after-copy.ts";
import { copyWhole } from "../copy/whole.ts";
import { openFiles } from "../files/file-sink.ts";
import { displayName } from "../model/name.ts";
import type { FileDatabase } from "../model/sync.ts";
import type { RunProgress, RunReason, RunResult, TableCounts } from "../model/run.ts";
import type { Session } from "../postgres/session.ts";
import type { RunReport } from "../replicate/run.ts";
import { keepConflicts } from "./keep-conflicts.ts";
import { runToSink, type SinkRunContext } from "../replicate/run-to-sink.ts";
import { toBucardoError } from "../postgres/failure.ts";
import type { Log } from "../telemetry/log.ts";
import type { Connections, Pair, Servers } from "./connections.ts";
import type { Copier } from "./copier.ts";
import type { DaemonContext } from "./context.ts";
import type { Job } from "./job.ts";
import { JobCode } from "./job-code.ts";
import { Journal } from "./journal.ts";
import { logDone, logFailed } from "./log-run.ts";
import { rateMeter, throttled } from "./progress.ts";

/** Pieces of a copy hold the target's lock while they travel; a run waits for those under way. */
const PIECE_PATIENCE_MS = 10 * 60_000;

/** A quick run that takes longer is one to be shown while it goes on. */
const QUICK_MS = 300;

/** `more`: something waits already again. `copied`: the copy that was asked for is made, or written down to be. */
export type Made = RunEnd & { readonly more?: boolean; readonly copied?: boolean };

/** Told of each end of a run, before it is recorded; the kicks are those that waited when the run began: which it settles, and which it does not. */
export type Ended = (end: Made, kicks: readonly number[], others: readonly number[]) => void;

/** The way home and the way out as one run. */
function together(home: RunReport, out: RunReport): RunReport {
  return {
    ...out,
    outcome: home.outcome === "good" ? "good" : out.outcome,
    tables: [...home.tables, ...out.tables],
    sequences: home.sequences + out.sequences,
    bytes: home.bytes + out.bytes,
    setAside: home.setAside + out.setAside,
    more: home.more || out.more,
  };
}

/** Makes the runs of one target, one at a time: on which connections, and how they come into the history. */
export class RunMaker {
  readonly #context: DaemonContext;
  readonly #connections: Connections;
  readonly #copier: Pick<Copier, "active" | "tables" | "takeFailure" | "resume" | "add">;
  readonly #signal: AbortSignal;
  readonly #log: Log;
  readonly #journal: Journal;
  readonly #settles: (kicks: readonly number[]) => number[];
  /** The connections of the last run, which was good: what they led to then they lead to now. */
  #proven: Pair | null = null;
  #running: number | null = null;
  readonly #code: JobCode;
  /** The request whose copy the target has had; the definitions may not know it yet. */
  #copied: number | null = null;
  /** Nothing is left on the members of before this loop began. */
  #collected = false;

  constructor(
    context: DaemonContext,
    { definition: { sync, target } }: Job,
    connections: Connections,
    copier: Pick<Copier, "active" | "tables" | "takeFailure" | "resume" | "add">,
    signal: AbortSignal,
    settles: (kicks: readonly number[]) => number[],
  ) {
    this.#copier = copier;
    this.#context = context;
    this.#connections = connections;
    this.#signal = signal;
    this.#settles = settles;
    this.#log = context.log.child({ sync: sync.name, target });
    this.#code = new JobCode(context, this.#log);
    this.#journal = new Journal(context, { syncId: sync.id, target, log: this.#log });
  }

  /** The run that is going on, once it has a row in the history. */
  get running(): number | null {
    return this.#running;
  }

  /** Errors of the run itself are its end; rejects when it cannot be recorded, and nothing of the run is lost by that. */
  async make(wanted: Job, reason: RunReason, ended: Ended): Promise<void> {
    const job = wanted.copyRequest === this.#copied ? withoutCopy(wanted) : wanted;
    try {
      const pair = this.#quickOn(job, reason);
      if (pair === null) await this.#onRecord(job, reason, ended);
      else await this.#quickly(job, reason, pair, ended);
    } finally {
      this.#running = null;
    }
  }

  /** Ends what runs custom code. */
  async end(): Promise<void> {
    await this.#code[Symbol.asyncDispose]();
  }

  /** Resolves when all runs so far are in the history. */
  flush(): Promise<void> {
    return this.#journal.flush();
  }

  /**
   * The connections for a run that need not be opened in the history before it begins: nobody asked for it, no kick waits for its end, and what the control
   * database remembers of the source was checked by the run before, on the same connections. Null: for all others.
   */
  #quickOn(job: Job, reason: RunReason): Pair | null {
    const { pair } = this.#connections;
    const usual =
      (reason === "change" || reason === "checktime") && job.definition.onetimecopy === 0 && job.codes.length === 0 && !job.whole;
    return usual && pair === this.#proven ? pair : null;
  }

  async #onRecord(job: Job, reason: RunReason, ended: Ended): Promise<void> {
    const { sync, target } = job.definition;
    const began = this.#context.now();
    await this.#journal.flush();
    const open = await this.#context.lease.use((session) => openRun(session, sync.id, target, reason));
    this.#running = open.id;
    await reach("daemon.kick-taken");
    const kicks = this.#settles(open.kicks);
    const end = await this.#attempt(job, () => this.#connections.get(), open.remembered);
    await this.#close(job, began, end.kind === "done" ? { ...open, kicks } : open, end, (made, settled) =>
      ended(
        made,
        settled,
        open.kicks.filter((kick) => !settled.includes(kick)),
      ),
    );
    if (end.copied === true) {
      await this.#context.lease.use((session) => markCopied(session, sync.id, target, job.copyRequest));
      this.#copied = job.copyRequest;
      this.#context.definitionsChanged();
    }
  }

  /** Its row is written behind it, unless it fails or takes long. */
  async #quickly(job: Job, reason: RunReason, pair: Pair, ended: Ended): Promise<void> {
    const { sync, target } = job.definition;
    const began = this.#context.now();
    let opening: Promise<OpenRun> | null = null;
    // The kicks that wait by then came after the run began, so they are not its own.
    const open = () =>
      (opening ??= this.#context.lease
        .use((session) => openRun(session, sync.id, target, reason))
        .then(({ id }) => ({ id: (this.#running = id), kicks: [], remembered: null })));
    const timer = setTimeout(() => void open().catch(() => undefined), QUICK_MS);
    const end = await this.#attempt(job, () => Promise.resolve(pair), null).finally(() => clearTimeout(timer));
    if (end.kind === "failed" || opening !== null) return await this.#close(job, began, await open(), end, ended);
    ended(end, [], []);
    this.#count(job, began, end);
    this.#journal.add({ reason, began, ended: this.#context.now(), result: end.result, settledRuns: end.settledRuns });
  }

  async #close(job: Job, began: number, open: OpenRun, end: Made, ended: Ended): Promise<void> {
    const { sync, target } = job.definition;
    const ms = this.#context.now() - began;
    if (end.kind === "done") logDone(this.#log, open.id, end.result, ms);
    else logFailed(this.#log, open.id, end.error, ms);
    ended(end, open.kicks, []);
    this.#count(job, began, end);
    await this.#context.lease.use((session) => closeRun(session, sync.id, target, open, end));
    await reach("daemon.run-recorded");
  }

  #count({ definition: { sync, target } }: Job, began: number, end: Made): void {
    const of = { syncId: sync.id, sync: sync.name, target };
    const result = end.kind === "done" ? end.result : null;
    this.#context.tally.add(of, result?.outcome ?? "bad", this.#context.now() - began, result);
  }

  /** Conflicts that were decided come into the control database behind the run; those that an earlier one has left as well. */
  async #keepConflicts(job: Job, { source, target }: Servers, tables: readonly TableCounts[]): Promise<void> {
    if (job.definition.exchange === undefined) return;
    if (this.#collected && tables.every(({ conflicts = 0 }) => conflicts === 0)) return;
    const members = job.back === null ? [target] : [source, target];
    this.#collected = await keepConflicts(this.#context, members, job.definition.sync);
  }

  #whole(job: Job, { source, target }: Servers, onProgress: (progress: RunProgress) => void): Promise<RunResult> {
    const { definition, copying: policy } = job;
    return copyWhole({ definition, policy, source, target, signal: this.#signal, onProgress, told: (error) => this.#undone(error) });
  }

  /** Tables that the run has filled anew because that was asked for. */
  async #afterCopies({ definition: { relations }, copying }: Job, target: Session, tables: readonly TableCounts[]): Promise<void> {
    const filled = new Set(tables.filter(({ refilled }) => refilled).map(({ table }) => table));
    await afterCopy(
      target,
      relations
        .filter(({ name }) => filled.has(displayName(name)))
        .map(({ name, terms, copying: own }) => ({ name: terms?.name ?? name, policy: { ...copying, ...own } })),
      (error) => this.#undone(error),
    );
  }

  #undone(error: unknown): void {
    this.#log.warn({ err: error }, "What follows a copy (analyze, vacuum, reindex) could not be done; the rows are there.");
  }

  async #toFiles(context: Omit<SinkRunContext, "sink" | "signal">, files: FileDatabase): Promise<Made> {
    const { settledRuns, more, left: _none, ...result } = await runToSink({ ...context, sink: openFiles(files), signal: this.#signal });
    return { kind: "done", result, settledRuns, more, copied: context.definition.onetimecopy !== 0 };
  }

  async #attempt(job: Job, connect: () => Promise<Pair>, remembered: number | null): Promise<Made> {
    const rate = rateMeter(this.#context.now);
    const progress = throttled<RunProgress>(1000, async (of) => {
      const run = this.#running;
      if (run === null) return;
      const moving = { ...of, rate: of.step === "fetching" ? rate(of.rowsDone) : null };
      await this.#context.lease.use((session) => reportProgress(session, run, moving));
    });
    this.#proven = null;
    const lock = await this.#context.lockFile(job.definition.sync.name);
    try {
      const failure = this.#copier.takeFailure();
      if (failure !== null) throw failure;
      const code = await this.#code.of(job);
      await code?.before(this.#signal);
      const pair = await connect();
      if (job.files !== null) {
        const onProgress = (of: RunProgress) => progress.push(of);
        const made = await this.#toFiles({ definition: job.definition, source: pair.source, onProgress, remembered }, job.files);
        this.#proven = pair;
        return made;
      }
      const { source, target } = pair;
      invariant(target !== null, "a target that is no server is files");
      const servers: Servers = { source, target };
      if (job.whole) {
        const result = await this.#whole(job, servers, (of) => progress.push(of));
        await code?.after(this.#signal, result.tables);
        return { kind: "done", result, settledRuns: 0 };
      }
      await this.#copier.resume(source);
      const copying = this.#copier.active;
      // What is under way was begun before this copy was asked for.
      const again = job.definition.onetimecopy === 1 ? this.#copier.tables : [];
      const common = {
        signal: this.#signal,
        onProgress: (of: RunProgress) => progress.push(of),
        ...(code !== null && { hooks: code.hooks(this.#signal) }),
      };
      const home =
        job.back === null
          ? null
          : await this.#context.run({ ...common, definition: job.back, source: target, target: source, remembered: null });
      const out = await this.#context.run({
        ...common,
        definition: lock === null ? job.definition : { ...job.definition, forceLock: lock.mode },
        source,
        target,
        remembered,
        copiesUpTo: this.#context.settings().copy_piece ?? undefined,
        patienceMs: copying ? PIECE_PATIENCE_MS : undefined,
      });
      await this.#keepConflicts(job, servers, [...(home?.tables ?? []), ...out.tables]);
      const { settledRuns, more, left, ...result } = home === null ? out : together(home, out);
      this.#proven = pair;
      await lock?.remove();
      if (again.length + left.length > 0) await this.#copier.add(source, [...again, ...left]);
      if (job.definition.onetimecopy !== 0) await this.#afterCopies(job, target, result.tables);
      await code?.after(this.#signal, result.tables);
      const copied = job.definition.onetimecopy !== 0;
      return { kind: "done", result, settledRuns, more, copied, settlesKicks: !copying && left.length === 0 };
    } catch (error) {
      if (error instanceof RunEndedByCode && !this.#signal.aborted) return endedByCode(error, remembered, this.#log);
      const failure = toBucardoError(this.#signal.aborted ? this.#signal.reason : error, { sync: job.definition.sync.name });
      if (failure.retry !== "now") await this.#connections.close();
      // Only a fault that waits for a person answers the kick; the others are repeated and settle it then.
      return { kind: "failed", error: failure, settlesKicks: failure.retry === "never" && failure.code !== "interrupted" };
    } finally {
      progress.stop();
    }
  }
}

function withoutCopy(job: Job): Job {
  return job.definition.onetimecopy === 0 ? job : { ...job, definition: { ...job.definition, onetimecopy: 0 } };
}

/** It counts as a run that found nothing; the checkpoint is where it was. */
function endedByCode({ message }: RunEndedByCode, remembered: number | null, log: Log): Made {
  log.info(`Run ended: ${message}.`);
  const result = { outcome: "empty", snapshot: { xmin: 0, xmax: 0, xip: [] }, tables: [], sequences: 0, bytes: 0, setAside: 0 } as const;
  return { kind: "done", result, settledRuns: remembered ?? 0 };
}
