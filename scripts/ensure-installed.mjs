// Before `npm test` and `npm run demo`: installs what package-lock.json asks for when it is not there, so that each works alone in a
// fresh clone. Plain Node, because nothing is installed yet.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`bucardo needs Node 20.19 or newer; this is ${process.version}`);
  process.exit(1);
}

const reason = whyInstall();
if (reason) {
  console.error(`${reason}: npm ci`);
  const npm = process.env.npm_execpath;
  const [command, first] = npm ? [process.execPath, [npm]] : ["npm", []];
  const { status } = spawnSync(command, [...first, "ci", "--include=dev"], { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
} else if (!existsSync(`${root}dist/.tsbuildinfo`)) {
  const { status } = spawnSync(process.execPath, [`${root}scripts/build.mjs`], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

function whyInstall() {
  const installed = packagesOf("node_modules/.package-lock.json");
  if (!installed) return "nothing is installed yet";
  const wanted = packagesOf("package-lock.json") ?? {};
  const missing = Object.keys(wanted).filter(
    (path) => path.startsWith("node_modules/") && !wanted[path].optional && installed[path]?.version !== wanted[path].version,
  );
  return missing.length > 0 ? `${missing.length} packages are missing or of another version (${missing[0]})` : null;
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(root + file, "utf8")).packages;
  } catch {
    return null;
  }
}
