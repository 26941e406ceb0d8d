import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's folder. Found by walking up, because the demo runs a compiled copy of the harness from below node_modules. */
export const root: string = findRoot(dirname(fileURLToPath(import.meta.url)));

/** Everything the harness writes lies below here, and may be deleted whenever nothing runs. */
export const cacheDir: string = join(root, "node_modules", ".cache", "bucardo-servers");

/** One folder below here per server and per test that needs files. */
export const runDir: string = process.env["BUCARDO_TEST_RUN_DIR"] ?? join(cacheDir, "run");

function findRoot(from: string): string {
  const manifest = join(from, "package.json");
  if (existsSync(manifest) && (JSON.parse(readFileSync(manifest, "utf8")) as { name?: string }).name === "bucardo") return from;
  if (dirname(from) === from) throw new Error("test/harness: no package.json named bucardo above this file");
  return findRoot(dirname(from));
}
