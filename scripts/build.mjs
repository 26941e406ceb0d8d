// Compiles src/ to dist/ with the compiler of this checkout; sql/ stays where it is and is read from there at run time.
import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const compiler = `${root}node_modules/typescript/bin/tsc`;

if (!existsSync(compiler)) {
  // `npm ci --omit=dev` and installed packages have no compiler; they bring dist/ along or do not need it.
  if (!existsSync(`${root}dist`)) console.error("bucardo: no dist/ and no TypeScript here; run `npm ci` with the development packages");
  process.exit(0);
}
rmSync(`${root}dist`, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
process.exit(status ?? 1);
