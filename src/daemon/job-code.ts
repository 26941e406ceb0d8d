import { SyncCode } from "../customcode/sync-code.ts";
import type { Log } from "../telemetry/log.ts";
import type { DaemonContext } from "./context.ts";
import type { Job } from "./job.ts";

/** The custom code of a target loop, made anew when the code has changed; what it kept in `shared` is gone then. */
export class JobCode implements AsyncDisposable {
  readonly #context: DaemonContext;
  readonly #log: Log;
  #code: SyncCode | null = null;
  #made = "";

  constructor(context: DaemonContext, log: Log) {
    this.#context = context;
    this.#log = log;
  }

  /** Null: the job has none. */
  async of(job: Job): Promise<SyncCode | null> {
    if (job.codes.length === 0 && this.#code === null) return null;
    const { definition, databases, codes } = job;
    const wanted = JSON.stringify([databases, codes]);
    if (wanted !== this.#made) {
      await this.#code?.[Symbol.asyncDispose]();
      this.#made = wanted;
      const { source, target } = definition;
      this.#code =
        codes.length === 0 ? null : new SyncCode(this.#world(job), { sync: definition.sync.name, source, target, databases, codes });
    }
    return this.#code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#code?.[Symbol.asyncDispose]();
    this.#code = null;
    this.#made = "";
  }

  #world({ definition: { sync } }: Job): ConstructorParameters<typeof SyncCode>[0] {
    const { open, settings, version, mail } = this.#context;
    return {
      open,
      version,
      log: this.#log,
      limits: () => ({ timeoutMs: settings().customcode_timeout, memoryBytes: settings().customcode_memory }),
      mail: (asked, signal) => mail(sync, asked, signal),
    };
  }
}
