import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { CutoverContext } from "./cutover-context.ts";

/**
 * Runs the command that points applications to the new side; its output is told line by line. Returns what went wrong, or null: the move is decided by then,
 * so nothing is thrown. Places come by environment, without secrets.
 */
export async function runHook({ onSwitch, onSwitchTimeoutMs, from, to, onEvent }: CutoverContext): Promise<string | null> {
  if (onSwitch === null) return null;
  const child = spawn(onSwitch, {
    shell: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, BUCARDO_FROM: from.place, BUCARDO_TO: to.place, BUCARDO_STEP: "switch" },
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (text) => onEvent({ kind: "output", from: "on-switch", text }));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    // With all that it started.
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  }, onSwitchTimeoutMs);
  try {
    return await new Promise<string | null>((resolve) => {
      child.on("error", (error) => resolve(`the switch command could not be started: ${error.message}`));
      child.on("close", (code, signal) => {
        if (late) resolve(`the switch command did not end within ${onSwitchTimeoutMs / 1000} s and was killed`);
        else resolve(code === 0 ? null : `the switch command ended with ${signal ?? code}`);
      });
    });
  } finally {
    clearTimeout(timer);
  }
}
