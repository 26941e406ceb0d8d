// Writes docs/commands.md, docs/errors.md and docs/settings.md from the declarations, and docs/parity.md from the tests; with --check only
// tells whether they are up to date.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { referencePages } from "../dist/cli/reference.js";
import { parityPage } from "./parity-page.mjs";

const check = process.argv.includes("--check");
const pages = [...referencePages(), parityPage()];
if (pages.length === 0) throw new Error("no page to generate");
const stale = pages.filter(({ path, text }) => {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  if (!check) writeFileSync(file, text);
  return check && read(file) !== text;
});
for (const { path } of stale) console.error(`${path} is not what it is made from; run \`npm run docs\``);
if (!check) console.log(`wrote ${pages.map(({ path }) => path).join(", ")}`);
process.exitCode = stale.length > 0 ? 1 : 0;

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
