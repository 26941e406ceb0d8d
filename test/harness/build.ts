import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { exec } from "./exec.ts";
import { root } from "./root.ts";

/** Builds when a file of src/ or of the page is newer than the last build. A type error is the type check's business, unless nothing came out. */
export async function buildIfStale(): Promise<void> {
  if (Math.max(newest(join(root, "src")), newest(join(root, "dashboard"))) <= builtAt()) return;
  const { stdout, stderr } = await exec(process.execPath, [join(root, "scripts", "build.mjs")], { cwd: root });
  if (builtAt() === 0) throw new Error(`the build failed:\n${stdout}${stderr}`);
}

function builtAt(): number {
  return statSync(join(root, "dist", ".tsbuildinfo"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function newest(folder: string): number {
  let latest = statSync(folder).mtimeMs; // a removed file shows here
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isFile() && entry.name.endsWith(".test.ts")) continue;
    const path = join(folder, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs);
  }
  return latest;
}
