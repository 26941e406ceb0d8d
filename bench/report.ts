import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { format } from "prettier";
import { root } from "../test/harness/root.ts";
import { machineLine } from "./machine.ts";
import { readRemarks, readResult, type CaseResult, type Result } from "./result.ts";
import { caseTable, markdownTable, plainTable } from "./table.ts";

/** For the terminal. */
export function caseText(result: CaseResult): string {
  const targets = result.targets.map((target) => `  ${verdict(target.met)}: ${target.text}${target.measured && ` (${target.measured})`}`);
  return [plainTable(caseTable(result)), ...targets].join("\n");
}

/** Writes bench/RESULTS.md from what is kept in bench/results. */
export async function writeReport(benchmarks: readonly string[]): Promise<void> {
  const parts: string[] = [];
  const missing: string[] = [];
  for (const benchmark of benchmarks) {
    const result = await readResult(benchmark);
    if (result) parts.push(section(result, await readRemarks(benchmark)));
    else missing.push(benchmark);
  }
  const text = `# Results

<!-- Written by \`npm run bench\` from bench/results. Remarks: bench/results/NAME.md. Do not edit. -->

How they are made and how to read them: [README](README.md). Two servers, the load and every contender share one machine: read the ratios.

${parts.join("\n\n")}
${missing.length > 0 ? `\n## Not measured yet\n\nNo rounds are kept of: ${missing.join(", ")}.\n` : ""}`;
  await writeFile(join(root, "bench", "RESULTS.md"), await format(text, { parser: "markdown", printWidth: 140 }));
}

function section(result: Result, remarks: string): string {
  const { benchmark, proves, begins, ends, warmUp, cases } = result;
  const head = `## ${benchmark}\n\n${proves}\n\nFrom: ${begins}. To: ${ends}. Warm-up: ${warmUp}.`;
  return [head, ...cases.map(caseSection), remarks].filter((part) => part !== "").join("\n\n");
}

function caseSection(result: CaseResult): string {
  const targets = result.targets.map(({ text, met, measured }) => `- **${verdict(met)}**: ${text}${measured && ` (${measured})`}`);
  const rounds = new Set(result.samples.map(({ round }) => round)).size;
  const how = `${rounds} rounds, ${result.measuredAt.slice(0, 10)}. ${result.setting}. ${machineLine(result.machine)}.`;
  return [`### ${result.name}`, markdownTable(caseTable(result)), targets.join("\n"), how].filter((part) => part !== "").join("\n\n");
}

function verdict(met: boolean | null): string {
  return met === null ? "not shown" : met ? "met" : "missed";
}
