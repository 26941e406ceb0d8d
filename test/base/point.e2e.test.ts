import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { root } from "../harness/root.ts";
import { ensureBuilt } from "../harness/shared-server.ts";
import { waitFor } from "../harness/wait.ts";

/** A process that passes a point three times and prints each pass. */
function walker(orders: string) {
  const point = pathToFileURL(join(root, "dist", "base", "point.js")).href;
  const script = `import { reach } from ${JSON.stringify(point)}; for (const pass of [1, 2, 3]) { await reach("replicate.begun"); console.log(pass); }`;
  return spawn(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...process.env, BUCARDO_POINT: orders },
    stdio: ["ignore", "pipe", "ignore"],
  });
}

test("kill ends the process as SIGKILL does, stop halts it until SIGCONT", async () => {
  await ensureBuilt();
  const killed = walker("replicate.begun=kill:3");
  let printed = "";
  killed.stdout.on("data", (text: Buffer) => (printed += text.toString()));
  expect(await once(killed, "close")).toEqual([null, "SIGKILL"]);
  expect(printed).toBe("1\n2\n");

  const stopped = walker("replicate.begun=stop:2");
  await waitFor(() => /\) T /.test(readFileSync(`/proc/${stopped.pid}/stat`, "utf8")), { what: "the process to be halted" });
  stopped.kill("SIGCONT");
  expect(await once(stopped, "close")).toEqual([0, null]);
});
