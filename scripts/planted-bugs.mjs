// Plants known bugs, one at a time, in a private copy of the project, and demands that the tests named for each turn red.
// A bug is an exact replacement: `find` must stand exactly once in `file`, so that the list keeps up with the source; `tests` name files and a
// pattern of test names (as for vitest -t).
// Usage: node scripts/planted-bugs.mjs [--only NAME]... [--jobs N] [--list]
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { attacks } from "./planted-bugs/attacks.mjs";
import { applying } from "./planted-bugs/applying.mjs";
import { capture } from "./planted-bugs/capture.mjs";
import { conflicts } from "./planted-bugs/conflicts.mjs";
import { customcode } from "./planted-bugs/customcode.mjs";
import { faults } from "./planted-bugs/faults.mjs";
import { toFiles } from "./planted-bugs/files.mjs";
import { http } from "./planted-bugs/http.mjs";
import { hazards } from "./planted-bugs/hazards.mjs";
import { proving } from "./planted-bugs/proving.mjs";
import { purging } from "./planted-bugs/purging.mjs";
import { reading } from "./planted-bugs/reading.mjs";
import { refused } from "./planted-bugs/refused.mjs";
import { safety } from "./planted-bugs/safety.mjs";

const bugs = [
  ...reading,
  ...capture,
  ...applying,
  ...safety,
  ...purging,
  ...hazards,
  ...attacks,
  ...faults,
  ...refused,
  ...customcode,
  ...http,
  ...proving,
  ...conflicts,
  ...toFiles,
];

const root = fileURLToPath(new URL("..", import.meta.url));
const { values: options } = parseArgs({
  options: { only: { type: "string", multiple: true }, jobs: { type: "string", default: "2" }, list: { type: "boolean" } },
});
const chosen = options.only === undefined ? bugs : bugs.filter(({ name }) => options.only.includes(name));
const unknown = (options.only ?? []).filter((name) => !bugs.some((bug) => bug.name === name));

if (options.list) {
  for (const { name, what } of bugs) console.log(`${name}: ${what}`);
  process.exit(0);
}
if (unknown.length > 0) {
  console.error(`no planted bug is called ${unknown.join(", ")}; --list names them all`);
  process.exit(2);
}

const copies = [];
const running = new Set();
const ending = new AbortController();
process.on("exit", () => copies.forEach((copy) => rmSync(copy, { recursive: true, force: true })));
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(name, () => {
    ending.abort();
    for (const child of running) child.kill("SIGTERM"); // vitest ends its servers; we wait for it
    process.exitCode = 1;
  });
}

const jobs = Math.max(1, Number(options.jobs));
const results = new Map(chosen.map((bug) => [bug.name, findings(bug)]));
const plantable = chosen.filter((bug) => results.get(bug.name) === null);
await findUnsound();
const queue = plantable.filter((bug) => results.get(bug.name) === null);
await Promise.all(Array.from({ length: Math.min(jobs, queue.length) }, () => work(queue, copyProject())));
report();

/** Why a bug cannot be planted: its list entry is older than the source. Null: it can. */
function findings({ file, find, replace }) {
  if (!existsSync(join(root, file))) return { red: false, note: `${file} does not exist` };
  const times = readFileSync(join(root, file), "utf8").split(find).length - 1;
  if (times !== 1)
    return { red: false, note: `its text stands ${times} times in ${file}, not once: bring scripts/planted-bugs/ up to date` };
  return find === replace ? { red: false, note: "it changes nothing" } : null;
}

/** Without a bug everything named must be green, else red means nothing. */
async function findUnsound() {
  const tests = plantable.flatMap((bug) => bug.tests);
  const outcome = await vitest(copyProject(), tests);
  if (outcome.passed.length + outcome.failed.length === 0) console.error(outcome.output);
  for (const name of outcome.failed) console.error(`fails without any bug: ${name}`);
  for (const bug of plantable) {
    for (const test of bug.tests) {
      const failed = outcome.failed.find((name) => matches(name, test));
      if (failed !== undefined) results.set(bug.name, { red: false, note: `fails without the bug too: ${failed}` });
      else if (!outcome.passed.some((name) => matches(name, test)))
        results.set(bug.name, { red: false, note: `no test of ${test.file} matches /${test.name}/` });
    }
  }
}

async function work(left, copy) {
  for (let bug = left.shift(); bug !== undefined && !ending.signal.aborted; bug = left.shift()) {
    const path = join(copy, bug.file);
    const text = readFileSync(path, "utf8");
    writeFileSync(
      path,
      text.replace(bug.find, () => bug.replace),
    );
    const outcome = await vitest(copy, bug.tests);
    writeFileSync(path, text);
    const red = outcome.failed.length > 0;
    const note = red
      ? outcome.failed[0]
      : outcome.passed.length > 0
        ? `${outcome.passed.length} tests stayed green`
        : `no test ran: ${outcome.output.slice(-500)}`;
    results.set(bug.name, { red, note });
    console.log(`${red ? "caught" : "MISSED"}  ${bug.name}: ${note}`);
  }
}

/** Source, tests and configuration; the packages are those of this checkout. */
function copyProject() {
  const copy = mkdtempSync(join(tmpdir(), "bucardo-planted-"));
  copies.push(copy);
  const skipped = new Set(["node_modules", ".git", "dist", "coverage", "docs", "bench", "dashboard"]);
  for (const entry of readdirSync(root)) {
    if (!skipped.has(entry))
      cpSync(join(root, entry), join(copy, entry), { recursive: true, filter: (source) => !source.includes("node_modules") });
  }
  // A real folder full of links: what the tests write below it stays in the copy, and processes are found by its path.
  const modules = join(copy, "node_modules");
  mkdirSync(modules);
  for (const entry of readdirSync(join(root, "node_modules"))) {
    if (entry !== ".cache" && entry !== ".vite") symlinkSync(join(root, "node_modules", entry), join(modules, entry));
  }
  const own = join(root, "test", "servers", "node_modules");
  if (existsSync(own)) symlinkSync(own, join(copy, "test", "servers", "node_modules"));
  return copy;
}

/** Names of the tests that passed and failed. A file that cannot even be loaded counts for neither. */
async function vitest(copy, wanted) {
  const files = [...new Set(wanted.map(({ file }) => file))];
  const patterns = [...new Set(wanted.map(({ name }) => name))];
  const answer = join(copy, "result.json");
  rmSync(answer, { force: true });
  const args = [join(root, "node_modules", "vitest", "vitest.mjs"), "run", ...files, "-t", patterns.map((each) => `(${each})`).join("|")];
  const child = spawn(process.execPath, [...args, "--reporter=json", `--outputFile=${answer}`, "--testTimeout=60000"], {
    cwd: copy,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, BUCARDO_LONG: files.some((file) => file.endsWith(".long.test.ts")) ? "1" : "" },
  });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  await new Promise((resolve) => child.on("close", resolve));
  running.delete(child);
  if (!existsSync(answer)) return { passed: [], failed: [], output };
  const tests = JSON.parse(readFileSync(answer, "utf8")).testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ fullName, status }) => ({ name: `${name.slice(copy.length + 1)}: ${fullName}`, status })),
  );
  const of = (status) => tests.filter((test) => test.status === status).map(({ name }) => name);
  return { passed: of("passed"), failed: of("failed"), output };
}

function matches(full, { file, name }) {
  return full.startsWith(`${file}: `) && new RegExp(name).test(full.slice(file.length + 2));
}

function report() {
  const width = Math.max(...chosen.map(({ name }) => name.length));
  console.log("");
  for (const { name, what } of chosen) {
    const { red, note } = results.get(name) ?? { red: false, note: "not tried" };
    console.log(`${red ? "caught" : "MISSED"}  ${name.padEnd(width)}  ${what}\n        ${" ".repeat(width)}  ${note}`);
  }
  const caught = chosen.filter(({ name }) => results.get(name)?.red).length;
  console.log(`${caught} passed, ${chosen.length - caught} failed, 0 skipped`);
  process.exitCode = caught === chosen.length ? 0 : 1;
}
