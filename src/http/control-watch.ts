import { withTimeout } from "../base/abort.ts";
import { daemonIsAlive, readDaemon } from "../control/daemon.ts";
import { readDatabases } from "../control/database.ts";
import { readDbgroups } from "../control/dbgroup.ts";
import { glanceAtKicks, glanceAtOpenRuns, glanceAtSyncs, glanceAtTargets } from "../control/overview.ts";
import { CONTROL_CHANNEL } from "../control/request.ts";
import { checkSchema } from "../control/schema-version.ts";
import { readSourceStates } from "../control/source-state.ts";
import { BucardoError } from "../model/error.ts";
import { connect } from "../postgres/connect.ts";
import type { Session } from "../postgres/session.ts";
import type { Served } from "../operations/serving.ts";
import { viewControl, type ControlView, type Definitions } from "./control-view.ts";

/** Definitions are read again when somebody says that they changed, and after this time in any case. */
const DEFINITIONS_MS = 15_000;
const ANSWER_MS = 10_000;

/** Reads the control database for everybody who looks, over one connection of its own that is opened when it is needed. */
export class ControlWatch implements AsyncDisposable {
  readonly #served: Pick<Served, "config" | "daemon">;
  #session: Session | null = null;
  #definitions: { readonly of: Definitions; readonly at: number } | null = null;

  constructor(served: Pick<Served, "config" | "daemon">) {
    this.#served = served;
  }

  /** Errors: those of connecting, timeout, schema-older, schema-newer; the next call tries again. */
  async read(): Promise<ControlView> {
    const late = (): BucardoError => new BucardoError("timeout", `the control database did not answer within ${ANSWER_MS / 1000} s`);
    try {
      return await withTimeout(ANSWER_MS, undefined, late, (signal) => this.#read(signal));
    } catch (error) {
      await this.#drop();
      throw error;
    }
  }

  /** Nobody looks for now. */
  async rest(): Promise<void> {
    await this.#drop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#drop();
  }

  async #read(signal: AbortSignal): Promise<ControlView> {
    const session = await this.#open(signal);
    const definitions = await this.#define(session);
    const state = {
      alive: await daemonIsAlive(session),
      daemon: await readDaemon(session),
      targets: await glanceAtTargets(session),
      running: await glanceAtOpenRuns(session),
      kicks: await glanceAtKicks(session),
      sources: await readSourceStates(session),
    };
    return viewControl(definitions, state, this.#served.daemon?.up() ?? null);
  }

  async #define(session: Session): Promise<Definitions> {
    const known = this.#definitions;
    if (known !== null && performance.now() - known.at < DEFINITIONS_MS) return known.of;
    const at = performance.now();
    const of = { databases: await readDatabases(session), groups: await readDbgroups(session), syncs: await glanceAtSyncs(session) };
    this.#definitions = { of, at };
    return of;
  }

  async #open(signal: AbortSignal): Promise<Session> {
    if (this.#session !== null && !this.#session.lost.aborted) return this.#session;
    await this.#drop();
    const session = await connect({ ...this.#served.config.control, name: "control", applicationName: "bucardo http", signal });
    try {
      await checkSchema(session);
      await session.listen(CONTROL_CHANNEL, (payload) => {
        if (payload === "changed") this.#definitions = null;
      });
    } catch (error) {
      await session.close();
      throw error;
    }
    this.#session = session;
    return session;
  }

  async #drop(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    this.#definitions = null;
    await session?.close();
  }
}
