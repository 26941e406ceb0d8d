import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { CodeProcess, type Call } from "../../src/customcode/process.ts";
import { BucardoError } from "../../src/model/error.ts";
import { waitFor } from "../harness/wait.ts";

const LIMITS = { timeoutMs: 60_000, memoryBytes: 64 * 1024 ** 2 };

function call(body: string, more: Partial<Call> = {}): Call {
  return {
    name: "my code",
    checksum: body,
    text: `export default async (input) => { ${body} };`,
    input: {},
    databases: [],
    desk: { query: () => Promise.reject(new Error("nothing here")), ask: () => Promise.resolve(null) },
    signal: new AbortController().signal,
    ...more,
  };
}

async function failure(code: CodeProcess, of: Call, limits = LIMITS): Promise<BucardoError> {
  const error: unknown = await code.call(of, limits).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof BucardoError)) throw new Error(`not refused: ${String(error)}`);
  return error;
}

test("what it throws has the line; the process and what it kept in shared live on", async () => {
  await using code = new CodeProcess(() => undefined);
  await code.call(call("input.shared.n = 7"), LIMITS);
  const error = await failure(code, call("\n\nthrow new Error('no more')"));
  expect(error).toMatchObject({ code: "customcode-failed", message: 'Custom code "my code", line 3: no more' });
  expect(await code.call(call("input.message = input.shared.n; return { warning: 'w' }"), LIMITS)).toEqual({ message: 7, warning: "w" });
});

test.each([
  ["an endless loop", "for (;;);", 500, /took longer than 0\.5 s and was killed/],
  ["a promise that never comes", "await new Promise(() => setInterval(() => {}, 1000))", 500, /took longer/],
  ["too much memory", "const all = []; for (;;) all.push(new Array(100000).fill(1))", 60_000, /more memory than 64 MB/],
  ["the end of its process", "process.exit(0)", 60_000, /ended by itself/],
])("%s ends its process; the next call gets another one", async (_what, body, timeoutMs, said) => {
  await using code = new CodeProcess(() => undefined);
  const error = await failure(code, call(body), { ...LIMITS, timeoutMs });
  expect(error).toMatchObject({ code: "customcode-killed" });
  expect(error.message).toMatch(said);
  expect(await code.call(call("return { message: 'well' }"), LIMITS)).toEqual({ message: "well" });
});

test("an abort ends a call at once, and what it prints is heard line by line", async () => {
  const lines: string[] = [];
  await using code = new CodeProcess((line) => lines.push(line));
  const abort = new AbortController();
  const running = code.call(call("console.log('one'); console.error('two'); for (;;);", { signal: abort.signal }), LIMITS);
  await waitFor(() => Promise.resolve(lines.length === 2), { what: "both lines" });
  abort.abort(new Error("told to stop"));
  await expect(running).rejects.toThrow("told to stop");
  expect(lines.toSorted()).toEqual(["one", "two"]);
});

test("of what it prints a call has a hundred lines", async () => {
  const lines: string[] = [];
  await using code = new CodeProcess((line) => lines.push(line));
  await code.call(call("for (let n = 1; n <= 1000; n++) console.log('line ' + n)"), LIMITS);
  await waitFor(() => Promise.resolve(lines.at(-1) === "(and more)"), { what: "the last of them" });
  expect(lines).toHaveLength(101);
});

test("a lost connection that the code lets pass is no fault of the code", async () => {
  await using code = new CodeProcess(() => undefined);
  const lost = new BucardoError("connection-lost", "gone");
  const desk = { query: () => Promise.reject(lost), ask: () => Promise.resolve(null) };
  expect(await failure(code, call("await input.dbh.A.query('select 1')", { databases: ["A"], desk }))).toBe(lost);
});

test("code in an endless loop ends with the daemon, also when that was killed", async () => {
  const host = fileURLToPath(new URL("../../src/customcode/host.mjs", import.meta.url));
  const parent = `
    const { spawn } = await import("node:child_process");
    const child = spawn(process.execPath, [${JSON.stringify(host)}], { env: {}, stdio: ["ignore", "inherit", "inherit", "ipc"], serialization: "advanced" });
    child.on("message", () => {
      child.send({ kind: "call", call: 1, code: { name: "x", checksum: "y", text: "export default () => { console.log('looping'); for (;;); }" }, input: {}, databases: [] });
      console.log("pid " + child.pid);
    });`;
  const daemon = spawn(process.execPath, ["--input-type=module", "-e", parent], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  daemon.stdout.on("data", (bytes: Buffer) => (said += bytes.toString()));
  await waitFor(() => Promise.resolve(said.includes("looping") && said.includes("pid")), { what: "the loop to begin" });
  const pid = Number(/pid (\d+)/.exec(said)?.[1]);
  expect(isAlive(pid)).toBe(true);
  daemon.kill("SIGKILL");
  await waitFor(() => Promise.resolve(!isAlive(pid)), { what: "the loop to end" });
});

/** A process that nobody has waited for yet is dead too. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !"ZX".includes(stat.slice(stat.lastIndexOf(")") + 2)[0] ?? "X");
  } catch {
    return false;
  }
}
