// docs/parity.md: the rows of scripts/parity-rows.mjs, and which test proves each.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rows, sections } from "./parity-rows.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The generated page. Throws when a test names a row that does not exist. */
export function parityPage() {
  const proofs = readProofs();
  return { path: "docs/parity.md", text: page(proofs) };
}

/** Row id -> tests that name it, in order of file and line. */
function readProofs() {
  const proofs = new Map(rows.map(({ id }) => [id, []]));
  const ids = new Map(rows.flatMap(({ id, also = [] }) => [id, ...also].map((name) => [name, id])));
  const unknown = [];
  for (const file of testFiles(join(root, "test"))) {
    const lines = readFileSync(file, "utf8").split("\n");
    const path = relative(root, file);
    lines.forEach((line, index) => {
      const named = /^\s*\/\/ proves:(.*)$/.exec(line)?.[1];
      if (named === undefined) return;
      for (const name of named
        .split(",")
        .map((one) => one.trim())
        .filter((one) => one !== "")) {
        const id = ids.get(name);
        if (id === undefined) unknown.push(`${path}:${index + 1} names the row ${name}`);
        else if (!proofs.get(id).some((proof) => proof.path === path && proof.line === index)) proofs.get(id).push({ path, line: index });
      }
    });
  }
  if (unknown.length > 0) throw new Error(`no such row in scripts/parity-rows.mjs:\n${unknown.join("\n")}`);
  return proofs;
}

function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === "node_modules" ? [] : testFiles(path);
      return entry.name.endsWith(".ts") ? [path] : [];
    });
}

function page(proofs) {
  const state = (row) => (proofs.get(row.id).length === 0 ? "missing" : row.refused === undefined ? "works" : "refused");
  const count = (word) => rows.filter((row) => state(row) === word).length;
  return [
    "# What the Perl program could do, and what proves it here",
    "",
    "<!-- Generated from scripts/parity-rows.mjs and the tests by `npm run docs`. Do not edit. -->",
    "",
    "Every row works, is refused with a word on what to take instead, or is missing. A row counts only when a test that gives the program command lines (bin/bucardo, or " +
      "its function `main` in the process of the test) against real servers names it.",
    "",
    `${rows.length} rows: ${count("works")} work, ${count("refused")} are refused, ${count("missing")} are missing.`,
    ...Object.entries(sections)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .flatMap(([section, title]) => [
        "",
        `## ${section} ${title}`,
        "",
        ...rows.filter(({ id }) => id.startsWith(`${section}/`)).map((row) => item(row, state(row), proofs.get(row.id))),
      ]),
    "",
  ].join("\n");
}

/** A list and no table: a line per row, so that two people who add a proof seldom meet. */
function item({ id, what, refused }, state, tests) {
  const files = [...new Set(tests.map(({ path }) => path))].map((path) => `[${path.replace(/^test\//, "")}](../${path})`);
  const instead = refused === undefined ? "" : `; instead: ${refused}`;
  const slug = id.slice(id.indexOf("/") + 1);
  return `- **${state}** \`${slug}\`: ${what}${instead}${files.length === 0 ? "" : `. Test: ${files.join(", ")}`}`;
}
