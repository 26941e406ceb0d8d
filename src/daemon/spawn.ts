import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ErrorCode } from "../model/error-catalogue.ts";
import { BucardoError } from "../model/error.ts";

/** What the child tells its parent, once. */
export type ChildReport =
  | { readonly kind: "ready"; readonly pid: number }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string; readonly advice: string };

/** What the parent hands to the child. Over the channel, not the command line or the environment: it may hold a password. */
export type ChildOrders<Orders> = { readonly orders: Orders };

export type SpawnOptions<Orders> = {
  readonly argv: readonly string[];
  readonly orders: Orders;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** File descriptor for what the runtime itself prints (a crash); the log. "inherit": the terminal. */
  readonly output: number | "inherit";
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

const PROGRAM = fileURLToPath(new URL("../../bin/bucardo", import.meta.url));

/**
 * Starts the daemon as a process of its own and waits until it is up. Returns its pid.
 * Errors: the child's own, with code and advice; daemon-failed when it ended without a word; timeout (it goes on starting).
 */
export async function spawnDaemon<Orders>(options: SpawnOptions<Orders>): Promise<number> {
  const child = spawn(process.execPath, [PROGRAM, ...options.argv], {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ["ignore", options.output, options.output, "ipc"],
  });
  try {
    child.send({ orders: options.orders } satisfies ChildOrders<Orders>);
    const told = await reportOf(child, options);
    if (told.kind === "failed") throw new BucardoError(told.code, told.message, { advice: told.advice });
    return told.pid;
  } finally {
    if (child.connected) child.disconnect();
    child.unref();
  }
}

function reportOf(child: ChildProcess, { timeoutMs, signal }: Pick<SpawnOptions<unknown>, "timeoutMs" | "signal">): Promise<ChildReport> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new BucardoError(
          "timeout",
          `the daemon (pid ${child.pid}) is not ready after ${Math.round(timeoutMs / 1000)} s; it goes on starting`,
        ),
      );
    }, timeoutMs);
    const stop = (): void => {
      child.kill("SIGTERM");
      reject(signal.reason);
    };
    signal.addEventListener("abort", stop, { once: true });
    const settle =
      <T>(then: (value: T) => void) =>
      (value: T): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", stop);
        then(value);
      };
    child.once(
      "message",
      settle((message) => resolve(message as ChildReport)),
    );
    child.once(
      "error",
      settle((error: Error) =>
        reject(new BucardoError("daemon-failed", `the daemon could not be started: ${error.message}`, { cause: error })),
      ),
    );
    child.once(
      "exit",
      settle((code: number | null) =>
        reject(new BucardoError("daemon-failed", `the daemon ended before it was ready (exit code ${code ?? "none"})`)),
      ),
    );
  });
}

/** In the child: the parent's orders; null when nobody sent any (started by hand, by systemd, in a container). */
export function receiveOrders<Orders>(): Promise<Orders | null> {
  if (process.send === undefined) return Promise.resolve(null);
  return new Promise((resolve) => {
    process.once("message", (message) => resolve((message as ChildOrders<Orders>).orders));
    process.once("disconnect", () => resolve(null));
  });
}

/** In the child: tells the parent and lets it go. */
export function report(what: ChildReport): void {
  if (process.send === undefined || !process.connected) return;
  process.send(what, undefined, {}, () => {
    if (process.connected) process.disconnect();
  });
}

export function failureReport(error: unknown): ChildReport {
  if (error instanceof BucardoError) return { kind: "failed", code: error.code, message: error.message, advice: error.advice };
  return {
    kind: "failed",
    code: "daemon-failed",
    message: error instanceof Error ? error.message : String(error),
    advice: "Its log has more.",
  };
}
