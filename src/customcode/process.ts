import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { BucardoError } from "../model/error.ts";
import type { Answer } from "../postgres/batch.ts";
import { toBucardoError } from "../postgres/failure.ts";
import { failureFor, rootOf } from "./failure.ts";
import type { CodeFailure, FromCode, ToCode } from "./message.ts";

export type Limits = {
  /** How long one call may take. */
  readonly timeoutMs: number;
  /** Of the JavaScript heap. */
  readonly memoryBytes: number;
};

/** What a piece of code asks the daemon for while it is called. */
export type Desk = {
  /** The signal aborts when the call ends early: what runs for it is cancelled then. */
  query(db: string, text: string, values: readonly unknown[], signal: AbortSignal): Promise<Answer>;
  /** `mail`: sends one. `images`: of conflicts. */
  ask(what: string, argument: unknown, signal: AbortSignal): Promise<unknown>;
};

export type Call = {
  readonly name: string;
  readonly checksum: string;
  readonly text: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Databases that it gets handles of. */
  readonly databases: readonly string[];
  readonly desk: Desk;
  readonly signal: AbortSignal;
};

/** Of what a call prints; the rest is left out. */
const MOST_LINES = 100;

const HOST = fileURLToPath(new URL("host.mjs", import.meta.url));

/**
 * The process that runs custom code, one call at a time. Started by the first call, and again after it was killed. It has no environment, reads no
 * files, starts no programs, and dies with this process.
 */
export class CodeProcess implements AsyncDisposable {
  readonly #said: (line: string) => void;
  #child: ChildProcess | null = null;
  #known = new Set<string>();
  #calls = 0;
  #lines = 0;

  /** `said`: told of each line that the code prints. */
  constructor(said: (line: string) => void) {
    this.#said = said;
  }

  /**
   * What the code set and returned. Errors: customcode-failed (it threw), customcode-killed (it took too long or too much memory; the process is
   * gone), and the signal's reason.
   */
  async call(call: Call, limits: Limits): Promise<Readonly<Record<string, unknown>>> {
    call.signal.throwIfAborted();
    const child = (this.#child ??= this.#start(limits));
    const number = ++this.#calls;
    this.#lines = 0;
    const ending = new Ending();
    const timer = setTimeout(() => ending.fail(tooLong(call.name, limits)), limits.timeoutMs);
    const aborted = () => ending.fail(call.signal.reason);
    const exited = () => ending.fail(died(call.name, limits));
    const hears = (message: FromCode) => this.#hear(child, call, number, message, ending);
    call.signal.addEventListener("abort", aborted, { once: true });
    child.once("exit", exited);
    child.on("message", hears);
    try {
      const key = `${call.name} ${call.checksum}`;
      const text = this.#known.has(key) ? {} : { text: call.text };
      this.#known.add(key);
      tell(child, {
        kind: "call",
        call: number,
        code: { name: call.name, checksum: call.checksum, ...text },
        input: call.input,
        databases: call.databases,
      });
      return await ending.promise;
    } catch (error) {
      // Whatever it still does, it does not do it to the next call.
      if (error instanceof CodeThrew) throw threw(call.name, error.failure, ending.refused);
      await this.#kill();
      throw error;
    } finally {
      clearTimeout(timer);
      call.signal.removeEventListener("abort", aborted);
      child.off("exit", exited);
      child.off("message", hears);
      // A statement that it asked for and did not wait for still runs on a session of the run.
      await ending.idle;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kill();
  }

  #hear(child: ChildProcess, { desk }: Call, number: number, message: FromCode, ending: Ending): void {
    if (message.kind === "ready" || message.call !== number) {
      if (message.kind === "query" || message.kind === "ask")
        tell(child, { kind: "answer", request: message.request, error: { message: "the call that asked for it has ended" } });
      return;
    }
    if (message.kind === "done") return ending.end(message.output);
    if (message.kind === "failed") return ending.fail(new CodeThrew(message.error));
    const { request } = message;
    ending.busy(async () => {
      try {
        const value = await (message.kind === "ask"
          ? desk.ask(message.what, message.argument, ending.signal)
          : desk.query(message.db, message.text, message.values, ending.signal));
        tell(child, { kind: "answer", request, value });
      } catch (error) {
        ending.refused.push(error);
        tell(child, { kind: "answer", request, error: failureFor(error) });
      }
    });
  }

  #start(limits: Limits): ChildProcess {
    const megabytes = Math.max(8, Math.round(limits.memoryBytes / 1024 ** 2));
    const flags = [
      ...permissions(),
      `--max-old-space-size=${megabytes}`,
      "--disable-warning=ExperimentalWarning",
      "--disable-warning=SecurityWarning",
    ];
    const child = spawn(process.execPath, [...flags, HOST], {
      cwd: "/",
      // Nothing of ours: passwords and places of key files stand in environments.
      env: {},
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      serialization: "advanced",
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on("line", (line) => this.#printed(line));
    }
    const gone = () => {
      if (this.#child !== child) return;
      this.#child = null;
      this.#known = new Set();
    };
    child.on("exit", gone);
    child.on("error", gone);
    // It does not keep us alive.
    child.unref();
    child.channel?.unref();
    return child;
  }

  #printed(line: string): void {
    if (line === "" || this.#lines > MOST_LINES) return;
    this.#lines += 1;
    this.#said(this.#lines > MOST_LINES ? "(and more)" : line);
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    this.#known = new Set();
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
      child.ref();
      if (!child.kill("SIGKILL")) resolve();
    });
  }
}

/** Node's own fence: no files but its own, no programs. The network stays open, for whoever wants to tell somebody. */
function permissions(): string[] {
  const known = process.allowedNodeEnvironmentFlags;
  return [
    known.has("--permission") ? "--permission" : "--experimental-permission",
    `--allow-fs-read=${HOST}`,
    "--allow-worker",
    ...(known.has("--allow-net") ? ["--allow-net"] : []),
  ];
}

function tell(child: ChildProcess, message: ToCode): void {
  // It may have ended in this moment; `exit` tells.
  if (child.connected) child.send(message, () => undefined);
}

/** The code itself threw: its process is as good as before. */
class CodeThrew extends Error {
  readonly failure: CodeFailure;
  constructor(failure: CodeFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** How a call ends, and whether anything that it asked for is still being done. */
class Ending {
  readonly promise: Promise<Readonly<Record<string, unknown>>>;
  /** What servers refused it, as we know it. */
  readonly refused: unknown[] = [];
  readonly #early = new AbortController();
  #resolve!: (output: Readonly<Record<string, unknown>>) => void;
  #reject!: (error: unknown) => void;
  #work: Promise<void> = Promise.resolve();

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.promise.catch(() => undefined);
  }

  /** Aborts when the call ends early. */
  get signal(): AbortSignal {
    return this.#early.signal;
  }

  get idle(): Promise<void> {
    return this.#work;
  }

  /** One after the other: a session does one thing at a time. */
  busy(work: () => Promise<void>): void {
    this.#work = this.#work.then(work);
  }

  end(output: Readonly<Record<string, unknown>>): void {
    this.#resolve(output);
  }

  fail(error: unknown): void {
    this.#early.abort(error);
    this.#reject(error);
  }
}

/** An error of a server that the code let pass is that error: a lost connection is no fault of the code. Its text is ours, without values of rows. */
function threw(name: string, { message, stack }: CodeFailure, refused: readonly unknown[]): BucardoError {
  const own = refused.find((error) => rootOf(error) instanceof Error && (rootOf(error) as Error).message === message);
  const known = own === undefined ? null : toBucardoError(own);
  if (known !== null && known.retry !== "never") return known;
  const line = new RegExp(`${escape(encodeURI(name))}:(\\d+)`).exec(stack ?? "")?.[1];
  const { db, table, sqlstate } = known?.details ?? {};
  return new BucardoError(
    "customcode-failed",
    `Custom code "${name}"${line === undefined ? "" : `, line ${line}`}: ${known?.message ?? message}`,
    {
      ...(db !== undefined && { db }),
      ...(table !== undefined && { table }),
      ...(sqlstate !== undefined && { sqlstate }),
      ...(known !== null && { cause: known }),
    },
  );
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

function tooLong(name: string, { timeoutMs }: Limits): BucardoError {
  return new BucardoError("customcode-killed", `Custom code "${name}" took longer than ${timeoutMs / 1000} s and was killed.`);
}

function died(name: string, { memoryBytes }: Limits): BucardoError {
  return new BucardoError(
    "customcode-killed",
    `The process of custom code "${name}" ended by itself: it called exit, or took more memory than ${Math.round(memoryBytes / 1024 ** 2)} MB.`,
  );
}
