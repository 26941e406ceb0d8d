// `npm run bench`: compiles bench, with the harness it stands on, into node_modules and runs it. Node 20 does not read TypeScript.
import { spawnSync } from "node:child_process";
import { existsSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const compiler = `${root}node_modules/typescript/bin/tsc`;
const { status, signal } = spawnSync(process.execPath, [compiler, "-p", `${root}bench`], { cwd: root, stdio: "inherit" });
if (signal) process.kill(process.pid, signal);
if (status !== 0) process.exit(status ?? 1);
const compiled = `${root}node_modules/.cache/bucardo-bench`;
// The engine, which some benchmarks drive without a daemon, reads what it installs from beside its code.
if (!existsSync(`${compiled}/sql`)) symlinkSync(`${root}sql`, `${compiled}/sql`);
await import(`${compiled}/bench/main.js`);
