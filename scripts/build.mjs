// Compiles src/ to dist/, and dashboard/ to dist/dashboard, with the tools of this checkout; sql/ stays where it is and is read from there at run time.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
const dist = join(root, "dist");
const memory = join(dist, ".tsbuildinfo");

if (!existsSync(compiler)) {
  // `npm ci --omit=dev` and installed packages have no compiler; they bring dist/ along or do not need it.
  if (!existsSync(dist)) console.error("bucardo: no dist/ and no TypeScript here; run `npm ci` with the development packages");
  process.exit(0);
}
mkdirSync(dist, { recursive: true });
// Incremental: files that did not change stay, so that a program running from dist/ is not pulled from under its feet.
const { status } = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json", "--incremental", "--tsBuildInfoFile", memory], {
  cwd: root,
  stdio: "inherit",
});
copyScripts(join(root, "src"), dist);
removeOrphans(dist, join(root, "src"), ["dashboard", ".tsbuildinfo"]);
await buildPage();
if (existsSync(memory)) utimesSync(memory, new Date(), new Date()); // says when the last build ran, also when nothing had changed
process.exit(status ?? 1);

/** Threads are plain JavaScript, because Node loads them by itself, from src/ too. */
function copyScripts(folder, to) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const [source, copy] = [join(folder, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyScripts(source, copy);
    else if (entry.name.endsWith(".mjs") && !(existsSync(copy) && readFileSync(copy).equals(readFileSync(source))))
      copyFileSync(source, copy);
  }
}

/** What the compiler made of sources that are gone. */
function removeOrphans(folder, source, others = []) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (others.includes(name)) continue;
    if (statSync(path).isDirectory()) {
      if (existsSync(join(source, name))) removeOrphans(path, join(source, name));
      else rmSync(path, { recursive: true });
    } else if (!existsSync(join(source, name.replace(/\.(js|js\.map|d\.ts)$/, ".ts")))) rmSync(path);
  }
}

/** dashboard/ as a browser takes it: one script, one style sheet. Names without hashes: the server says by ETag what changed. */
async function buildPage() {
  const [from, to] = [join(root, "dashboard"), join(dist, "dashboard")];
  const made = join(to, "index.html");
  if (existsSync(made) && newest(from) < statSync(made).mtimeMs) return;
  const { build } = await import("vite");
  await build({
    root: from,
    base: "./",
    configFile: false,
    logLevel: "warn",
    build: {
      outDir: to,
      emptyOutDir: false,
      assetsInlineLimit: 0,
      modulePreload: false,
      target: "es2022",
      rollupOptions: { output: { entryFileNames: "page.js", assetFileNames: "[name][extname]" } },
    },
  });
}

function newest(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Math.max(statSync(folder).mtimeMs, ...files.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
}
