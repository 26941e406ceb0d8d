import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { makeReport } from "../../migrate/make-report.ts";
import { BucardoError } from "../../model/error.ts";
import type { Context } from "../context.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { endpointKeys, readPair, type Pair } from "./endpoints.ts";

/** Writes the report of a move; returns the path. Errors: bad-value (the file cannot be written). */
export async function writeReport(pair: Pair, context: Context, file: string): Promise<string> {
  const path = resolve(context.cwd, file);
  const html = await makeReport({ ...pair, signal: context.signal }, `${context.program} ${context.version}`);
  try {
    await writeFile(path, html);
  } catch (cause) {
    throw new BucardoError("bad-value", `the report cannot be written to ${path}`, {
      cause,
      advice: "Name a file in a folder that exists and may be written.",
    });
  }
  return path;
}

export const migrateReport = defineOperation({
  name: ["migrate", "report"],
  summary: "Write what a move did as one HTML file",
  description:
    "Every step with its times, a timeline, plots of copy and lag, tables with sizes and keys, timings of cutovers. The file needs nothing else and holds no " +
    "value of a row. At any time before `migrate finish`, which can write it too.",
  group: "migration",
  effect: "reads",
  http: { refused: "it writes a file" },
  control: "none",
  input: z.object({ file: words({ about: "Where to (default bucardo-move.html).", value: "FILE", max: 1 }), ...endpointKeys }),
  output: z.object({ file: z.string() }),
  examples: [{ command: "bucardo migrate report /tmp/move.html", about: "For the record, or for the boss." }],
  async run({ file: [file = "bucardo-move.html"], ...given }, context) {
    return { file: await writeReport(readPair(given, context), context, file) };
  },
  print: ({ file }, io) => io.out(`Report written: ${file}`),
});
