// Holds src/, test/ and bench/ against the law of imports. dependency-cruiser passes in silence when it has read nothing: that is a failure here.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const cruiser = `${root}node_modules/dependency-cruiser/bin/dependency-cruise.mjs`;
const args = [cruiser, "--config", ".dependency-cruiser.mjs", "--output-type", "json", "src", "test", "bench"];
const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });

let summary;
try {
  ({ summary } = JSON.parse(stdout));
} catch {
  console.error(`dependency-cruiser gave no answer:\n${stderr}${stdout}`);
  process.exit(1);
}
for (const { rule, from, to, cycle, comment } of summary.violations) {
  const way = cycle ? cycle.map(({ name }) => name).join(" -> ") : to;
  console.error(`${rule.name}: ${from} -> ${way}${comment ? ` (${comment})` : ""}`);
}
const sources = summary.totalCruised;
console.log(`imports: ${sources} modules, ${summary.totalDependenciesCruised} imports, ${summary.violations.length} against the law`);
if (sources < 20) console.error("that is too few modules: nothing was checked");
process.exit(summary.violations.length > 0 || sources < 20 ? 1 : 0);
