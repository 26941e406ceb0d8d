import { sleep } from "../../base/sleep.ts";
import { daemonIsAlive, readDaemon } from "../../control/daemon.ts";
import { kickState } from "../../control/kick.ts";
import { readRun, recentRuns, type RunRow } from "../../control/run.ts";
import { readTargetStates } from "../../control/target-state.ts";
import { BucardoError } from "../../model/error.ts";
import type { Session } from "../../postgres/session.ts";
import type { Context } from "../context.ts";
import { livesHere } from "./ask-daemon.ts";
import { describeProgress } from "./describe-progress.ts";
import { showTime } from "./status-time.ts";

export type KickEnd = { readonly outcome: "done" | "timeout" | "killed"; readonly ms: number; readonly error: string | null };

export type KickWait = {
  readonly sync: string;
  readonly syncId: string;
  readonly kick: number;
  /** performance.now() when it was asked. */
  readonly began: number;
  /** Null: for ever. */
  readonly limitMs: number | null;
  readonly timer: boolean;
};

const POLL_MS = 25;
/** How often progress and the life of the daemon are looked at. */
const LOOK_MS = 500;
/** A daemon that lost its control connection takes the lease again within this. */
const ALIVE_GRACE_MS = 5000;

/** Waits until every target has settled the kick, telling how it goes. Errors: daemon-not-running. */
export async function waitForKick(context: Context, of: KickWait): Promise<KickEnd> {
  const control = await context.control();
  const line = new KickLine(context, of);
  const alive = aliveCheck(control);
  for (let looked = -Infinity; ; await sleep(POLL_MS, context.signal)) {
    const targets = await kickState(control, of.kick);
    if (targets.length === 0) return line.gone();
    const bad = targets.find((one) => one.outcome === "bad");
    if (bad !== undefined) return line.killed(bad.run === null ? null : await readRun(control, bad.run));
    if (targets.every((one) => one.outcome !== null)) return line.done();
    const now = performance.now();
    if (of.limitMs !== null && now - of.began >= of.limitMs) return line.timeout();
    if (now - looked < LOOK_MS) continue;
    looked = now;
    await alive(now);
    await line.show(
      control,
      targets.flatMap((one) => (one.outcome === null ? [one.target] : [])),
    );
  }
}

function aliveCheck(control: Session): (now: number) => Promise<void> {
  let gone: number | null = null;
  return async (now) => {
    if ((await daemonIsAlive(control)) || livesHere(await readDaemon(control))) gone = null;
    else gone ??= now;
    if (gone !== null && now - gone > ALIVE_GRACE_MS) {
      throw new BucardoError("daemon-not-running", "The daemon ended while the kick was waiting; it will be done after the next start.");
    }
  };
}

/** What stands on the terminal: one line that is rewritten, or, elsewhere, the end only and the reasons for waiting. */
class KickLine {
  readonly #context: Context;
  readonly #of: KickWait;
  readonly #rewrites: boolean;
  #width = 0;
  #told = "";

  constructor(context: Context, of: KickWait) {
    this.#context = context;
    this.#of = of;
    this.#rewrites = context.io.isTerminal && of.timer && !context.flags.json;
  }

  async show(control: Session, waiting: readonly string[]): Promise<void> {
    const states = (await readTargetStates(control)).filter((one) => one.sync === this.#of.syncId && waiting.includes(one.target));
    const held = states.find((one) => one.state === "Waiting" && one.detail !== null);
    if (held !== undefined && held.detail !== this.#told) {
      this.#told = held.detail ?? "";
      this.#clear();
      this.#context.io.err(`Kick ${this.#of.sync}: ${held.target} is tried again: ${held.detail}`);
    }
    if (!this.#rewrites) return;
    const open = (await recentRuns(control)).find(
      (run) => run.ended === null && run.sync === this.#of.syncId && waiting.includes(run.target),
    );
    const head = this.#head();
    const room = this.#context.io.width - head.length - 2;
    this.#rewrite(`${head} ${open === undefined ? `waiting for ${waiting.join(", ")}` : describeProgress(open, room)}`);
  }

  done(): KickEnd {
    this.#end("DONE!");
    return { outcome: "done", ms: this.#ms(), error: null };
  }

  timeout(): KickEnd {
    this.#end("");
    this.#context.io.err("Timed out!");
    return { outcome: "timeout", ms: this.#ms(), error: `not done within ${(this.#of.limitMs ?? 0) / 1000} s; it goes on` };
  }

  killed(run: RunRow | null): KickEnd {
    this.#end("KILLED!");
    const error = run?.errorMessage ?? "the run failed";
    if (!this.#context.flags.json) {
      const { io } = this.#context;
      const now = new Date();
      if (run !== null)
        io.out(`  Start time: ${showTime(run.started, now)}\n  End time:   ${run.ended === null ? "-" : showTime(run.ended, now)}`);
      io.out(`  Error:      ${error}`);
      if (run?.errorKey) io.out(`  Row:        ${run.errorTable ?? ""} (${run.errorKey})`);
      if (run?.advice) io.out(`  Advice:     ${run.advice}`);
    }
    return { outcome: "killed", ms: this.#ms(), error };
  }

  /** Nobody is left who could do it: that is not done. */
  gone(): KickEnd {
    this.#end("KILLED!");
    const error = "The sync, or its last active target, is gone.";
    if (!this.#context.flags.json) this.#context.io.out(`  Error:      ${error}`);
    return { outcome: "killed", ms: this.#ms(), error };
  }

  #ms(): number {
    return Math.round(performance.now() - this.#of.began);
  }

  #head(): string {
    return `Kick ${this.#of.sync}: [${(this.#ms() / 1000).toFixed(3)} s]`;
  }

  #end(word: string): void {
    if (this.#context.flags.json) return;
    this.#clear();
    this.#context.io.out(`${this.#head()} ${word}`.trimEnd());
  }

  #rewrite(text: string): void {
    const cut = text.slice(0, Math.max(20, this.#context.io.width - 1));
    this.#context.io.write(`\r${cut.padEnd(this.#width)}`);
    this.#width = cut.length;
  }

  #clear(): void {
    if (this.#width > 0) this.#context.io.write(`\r${" ".repeat(this.#width)}\r`);
    this.#width = 0;
  }
}
