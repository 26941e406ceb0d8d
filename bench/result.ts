import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../test/harness/root.ts";
import type { Metric } from "./benchmark.ts";
import type { Machine } from "./machine.ts";
import type { Sample } from "./statistics.ts";

/** What is kept of one case: everything that the tables are made of. */
export type CaseResult = {
  readonly name: string;
  readonly metrics: readonly Metric[];
  readonly reference: string | null;
  readonly samples: readonly Sample[];
  /** Contenders without a result, and why. */
  readonly notShown: Readonly<Record<string, string>>;
  readonly targets: readonly { readonly text: string; readonly met: boolean | null; readonly measured: string }[];
  readonly setting: string;
  readonly machine: Machine;
  /** Of the last round. */
  readonly measuredAt: string;
};

export type Result = {
  readonly benchmark: string;
  readonly proves: string;
  readonly begins: string;
  readonly ends: string;
  readonly warmUp: string;
  readonly cases: readonly CaseResult[];
};

const folder = join(root, "bench", "results");

export async function readResult(benchmark: string): Promise<Result | null> {
  try {
    return JSON.parse(await readFile(pathOf(benchmark), "utf8")) as Result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Replaces the cases that were measured now and keeps the others. */
export async function keepResult(result: Result): Promise<void> {
  const before = (await readResult(result.benchmark))?.cases ?? [];
  const cases = before.map((one) => result.cases.find(({ name }) => name === one.name) ?? one);
  const added = result.cases.filter(({ name }) => !before.some((one) => one.name === name));
  await mkdir(folder, { recursive: true });
  await writeFile(pathOf(result.benchmark), `${JSON.stringify({ ...result, cases: [...cases, ...added] }, null, 1)}\n`);
}

/** What a person wrote about the results of a benchmark, or nothing. */
export async function readRemarks(benchmark: string): Promise<string> {
  return readFile(join(folder, `${benchmark}.md`), "utf8").catch(() => "");
}

function pathOf(benchmark: string): string {
  return join(folder, `${benchmark}.json`);
}
