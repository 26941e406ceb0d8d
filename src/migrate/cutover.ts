import { anySignal, orAbort, withTimeout } from "../base/abort.ts";
import { reach } from "../base/point.ts";
import { disarmFence, makePermanent, openFence, readFence } from "../capture/fence.ts";
import { BucardoError } from "../model/error.ts";
import { toBucardoError } from "../postgres/failure.ts";
import type { CutoverContext, CutoverReport } from "./cutover-context.ts";
import { onLiving, openSessions } from "./cutover-sessions.ts";
import type { Gate } from "./gate.ts";
import { readMark, writeMark } from "./mark.ts";
import { runHook } from "./switch-hook.ts";
import { Poolers } from "./poolers.ts";
import { Undo } from "./undo.ts";
import { forgetProof } from "../verify/proof-register.ts";
import { Timeline } from "./timeline.ts";
import { holdWindow } from "./window.ts";
import { comeVeryNear, prepareCutover, type Prepared, type Working } from "./prepare.ts";

export type { CutoverContext, CutoverEvent, CutoverReport, Side, Timing } from "./cutover-context.ts";
export type { Gate } from "./gate.ts";

/**
 * Moves the writers of a database to its copy, within a budget of time.
 *
 *   before   way back armed, the other side closed - old side armed - runs until the lag is tiny - gates
 *   window   close - wait for open transactions - last run - tables without key - sequences - checks
 *   decided  closed for good (only if it was closed all the time) - the other side opened - switch command
 *
 * Whatever fails before the decision is undone in reverse order, writers first; a killed tool leaves the old side closed until its deadline at most. After
 * the decision nothing is undone: the next call finds it and does what is left. Errors: what kept it from beginning at all, cutover-unknown,
 * cutover-unfinished; everything else is in the report.
 */
export async function cutover(context: CutoverContext): Promise<CutoverReport> {
  const timeline = new Timeline(context.onEvent);
  await using sessions = await openSessions(context);
  await using poolers = await Poolers.open(context.poolers);
  const attempt = new Attempt({ context, sessions, poolers, timeline, undo: new Undo() });
  const found = await attempt.lookBack();
  if (found !== "fresh") return found === "done" ? attempt.report("switched", null) : await attempt.finish();
  try {
    const prepared = await attempt.prepare();
    if (attempt.gates.some(({ state }) => state === "blocked")) return await attempt.takeBack("refused", refusal(attempt.gates));
    await attempt.window(prepared);
    if (context.rehearse) return await attempt.takeBack("rehearsed", null);
    await attempt.decide();
  } catch (error) {
    const why = toBucardoError(error, {});
    if (why.code === "cutover-unknown") throw why;
    return await attempt.takeBack("undone", why);
  }
  return await attempt.finish();
}

function refusal(gates: readonly Gate[]): BucardoError {
  const closed = gates.filter(({ state }) => state === "blocked");
  const [first] = closed;
  return new BucardoError("gate-closed", closed.map(({ name, why }) => `${name}: ${why}`).join("; "), {
    ...(first?.remedy && { advice: first.remedy }),
  });
}

/** For one small statement. */
const DECISION_MS = 5000;

class Attempt {
  gates: readonly Gate[] = [];
  readonly #working: Working;
  readonly #warnings: string[] = [];
  /** Whether the side that is moved to is kept closed; null: not looked at yet. */
  #fenced: boolean | null = null;

  constructor(working: Working) {
    this.#working = working;
  }

  /** What an earlier call left: past the decision it is to be finished, or is; before it, whatever is still there is taken away. Errors: checkpoint-missing. */
  async lookBack(): Promise<"fresh" | "decided" | "done"> {
    const { from } = this.#working.sessions;
    const fence = await readFence(from);
    if (fence === null) throw new BucardoError("checkpoint-missing", `nothing is captured on ${from.name}`, { db: from.name });
    if (fence.state === "open") return "fresh";
    const mark = await readMark(from);
    if (fence.state === "closed") {
      if (mark?.state === "done") {
        this.#warn(`It was switched to ${mark.to} before (${mark.at}); nothing was left to do.`);
        return "done";
      }
      this.#warn(`An earlier cutover was decided but not finished (${mark?.at ?? "unknown when"}); the rest is done now.`);
      return "decided";
    }
    this.#warn(
      fence.refuses
        ? `An earlier cutover broke off and left ${from.name} closed; it is open again.`
        : `An earlier cutover broke off (${mark?.at ?? "before its window"}); ${from.name} is open.`,
    );
    await openFence(from);
    await disarmFence(from);
    for (const failure of await this.#working.poolers.takeBack(mark)) this.#warn(failure);
    await writeMark(from, null);
    return "fresh";
  }

  async prepare(): Promise<Prepared> {
    const prepared = await prepareCutover(this.#working);
    this.gates = prepared.gates;
    this.#fenced = prepared.fenced;
    return prepared;
  }

  /** Within the budget, even when a server does not answer at all. */
  async window(prepared: Prepared): Promise<void> {
    const { budgetMs, signal: outer, to } = this.#working.context;
    await comeVeryNear(this.#working, prepared);
    await writeMark(this.#working.sessions.from, { state: "window", to: to.place, poolers: await this.#working.poolers.entries() });
    this.#working.undo.add("forget the attempt", () =>
      onLiving(this.#working.sessions.from, this.#working.context.from, (session) => writeMark(session, null)),
    );
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(overBudget(budgetMs)), budgetMs);
    using signal = anySignal(outer, late.signal);
    try {
      await orAbort(holdWindow(this.#working, prepared, signal), signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The point of no return. Where no answer came, the source is asked what became of it. Errors: fence-expired, cutover-unknown. */
  async decide(): Promise<void> {
    const { from } = this.#working.sessions;
    const late = () => new BucardoError("connection-lost", `${from.name} did not answer`, { db: from.name });
    try {
      await this.#working.timeline.step("point of no return", () => withTimeout(DECISION_MS, undefined, late, () => makePermanent(from)));
    } catch (error) {
      // A statement that is still on its way finds the fence opened by the undoing, and decides nothing.
      if (toBucardoError(error, {}).code !== "connection-lost" || (await this.#askAgain()) !== "closed") throw error;
    }
    await reach("migrate.decided");
    // Nothing is taken back from here on.
    this.#working.undo.forget();
  }

  async #askAgain(): Promise<"open" | "armed" | "closed"> {
    try {
      await using again = await this.#working.context.from.open("cutover");
      return (await readFence(again))?.state ?? "open";
    } catch (error) {
      throw new BucardoError("cutover-unknown", `${this.#working.context.from.place} was lost in the moment of the decision`, {
        cause: error,
      });
    }
  }

  /** Past the decision: each step is done, whatever becomes of the others. */
  async finish(): Promise<CutoverReport> {
    const { from, to } = this.#working.sessions;
    const { to: target } = this.#working.context;
    const fenced = this.#fenced ?? (await readFence(to)) !== null;
    if (fenced) await this.#working.timeline.step("open the other side", () => this.#openNewSide());
    await reach("migrate.opened");
    if (!this.#working.poolers.any) this.#working.timeline.opened();
    if (this.#working.context.onSwitch !== null) {
      const trouble = await this.#working.timeline.step("switch command", () => runHook(this.#working.context));
      if (trouble !== null) this.#warn(trouble);
    }
    if (this.#working.poolers.any) await this.#resumePoolers();
    if (fenced) await this.#quietly("usual functions there", () => disarmFence(to).then(() => writeMark(to, null)));
    // What the other side changes from now on reaches this one without deltas: what was proved here proves nothing the next time.
    await this.#quietly("forget what was compared", () => forgetProof(from, this.#working.context.definition));
    await reach("migrate.proof-forgotten");
    await this.#quietly("note that it is done", async () => {
      await writeMark(from, { state: "done", to: target.place, poolers: [] });
    });
    return this.report("switched", null);
  }

  /** An earlier command may have decided without repointing them all. */
  async #resumePoolers(): Promise<void> {
    await this.#quietly("repoint poolers", () => this.#working.poolers.repoint());
    for (const failure of await this.#working.timeline.step("resume poolers", () => this.#working.poolers.resume())) this.#warn(failure);
    this.#working.timeline.opened();
  }

  async #openNewSide(): Promise<void> {
    const { to: side } = this.#working.context;
    try {
      await onLiving(this.#working.sessions.to, side, openFence);
    } catch (error) {
      throw new BucardoError("cutover-unfinished", `the cutover is decided, but ${side.place} could not be opened`, {
        db: side.name,
        cause: error,
      });
    }
  }

  async #quietly(step: string, work: () => Promise<void>): Promise<void> {
    await this.#working.timeline.step(step, work).catch((error: unknown) => this.#warn(`${step}: ${toBucardoError(error, {}).message}`));
  }

  /** Writers first. A connection that is gone is opened anew; where that fails too, the deadline opens the old side. */
  async takeBack(outcome: "refused" | "rehearsed" | "undone", why: BucardoError | null): Promise<CutoverReport> {
    for (const failure of await this.#working.timeline.step("undo", () => this.#working.undo.run())) this.#warn(failure);
    return this.report(outcome, why);
  }

  #warn(text: string): void {
    this.#warnings.push(text);
    this.#working.context.onEvent({ kind: "warning", text });
  }

  report(outcome: CutoverReport["outcome"], why: BucardoError | null): CutoverReport {
    const { timings, downtimeMs } = this.#working.timeline;
    return {
      outcome,
      gates: this.gates,
      timings: timings.toSorted((one, other) => one.at - other.at),
      downtimeMs,
      why,
      warnings: this.#warnings,
    };
  }
}

function overBudget(budgetMs: number): BucardoError {
  return new BucardoError("over-budget", `it took more than ${budgetMs / 1000} s, and was undone`);
}
