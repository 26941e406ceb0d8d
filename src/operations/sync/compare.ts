import { z } from "zod";
import { daemonIsAlive } from "../../control/daemon.ts";
import { readSync } from "../../control/sync.ts";
import { BucardoError, type Problem } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import { sourcesOf } from "../../model/sync.ts";
import { readSetAside, type SetAsideRow } from "../../replicate/set-aside.ts";
import { relationFor } from "../../replicate/relation.ts";
import { compareSync } from "../../verify/compare.ts";
import { integer, key, list, words } from "../input.ts";
import { interval } from "../interval.ts";
import { defineOperation } from "../operation.ts";
import { matcherOf } from "../pattern.ts";
import { problemText } from "../problem-text.ts";
import { serversOf } from "./servers.ts";

const differingKey = z.object({ key: z.array(z.string()), kind: z.enum(["only-source", "only-target", "different"]) });
const table = z.object({
  table: z.string(),
  equal: z.boolean(),
  sourceRows: z.number(),
  targetRows: z.number(),
  /** Sum of the hashes of all rows; while writers go on the two may differ though every row was found equal. */
  sourceHash: z.string(),
  targetHash: z.string(),
  differences: z.array(differingKey),
  /** Keys that differ because their rows are set aside; not among the others. */
  expected: z.array(differingKey).optional(),
  complete: z.boolean(),
});
const position = z.object({ value: z.string(), called: z.boolean() });
const sequence = z.object({ sequence: z.string(), equal: z.boolean(), source: position, target: position });
const target = z.object({
  target: z.string(),
  equal: z.boolean(),
  tables: z.array(table),
  sequences: z.array(sequence),
  problems: z.array(z.custom<Problem>()),
});

const WORDS = { "only-source": "only on the source", "only-target": "only on the target", different: "different" } as const;

export const compare = defineOperation({
  name: ["compare"],
  summary: "Prove that source and targets have the same rows",
  description:
    "Reads every table of the sync on both sides, grouped by a hash of the key, and names keys that differ. Changes nothing. While a daemon runs, keys " +
    "that differ are looked at again for some seconds, because they may be on their way. Rows that are set aside are named as such.",
  group: "data",
  effect: "reads",
  http: "token",
  control: "required",
  noise: ["sync"],
  input: z.object({
    words: words({ about: "The sync, and targets if not all are meant.", value: "SYNC [TARGET]", min: 1 }),
    tables: key(list.optional(), {
      about: "Only these tables and sequences; * and % are wildcards.",
      aliases: ["table"],
      value: "NAME,...",
      list: true,
    }),
    limit: key(integer(1, 100_000).optional(), { about: "Keys named per table at most (default 20).", value: "N" }),
    patience: key(interval.optional(), {
      about: "How long to look again at keys that differ (default: 10 s with a daemon, else none).",
      value: "PERIOD",
    }),
  }),
  output: z.object({ sync: z.string(), equal: z.boolean(), targets: z.array(target) }),
  examples: [{ command: "bucardo compare pepper", about: "Every table, every target." }],
  exitCodes: { 0: "equal", 1: "something differs, or could not be compared" },
  async run({ words: [name = "", ...wanted], tables, limit, patience }, context) {
    const control = await context.control();
    const sync = await readSync(control, name);
    const chosen = await serversOf(context, sync, wanted);
    const tests = (tables ?? ["*"]).map(matcherOf);
    const relations = sync.relations.filter((relation) => tests.some((test) => test(relation.name) || test(displayName(relation))));
    if (relations.length === 0)
      throw new BucardoError("unknown-object", `No table of sync "${name}" fits.`, {
        sync: name,
        advice: `\`${context.program} list sync ${name} -v\` shows them.`,
      });
    const seconds = patience === undefined ? ((await daemonIsAlive(control)) ? 10 : 0) : (patience ?? 0);
    const source = await context.connectTo(sourcesOf(sync)[0] ?? "");
    const aside = await readSetAside(source, { sync: sync.id, target: null, ids: null });
    const results: z.output<typeof target>[] = [];
    for (const each of chosen) {
      const equality = await compareSync({
        source,
        target: await context.connectTo(each),
        relations: relations.map((relation) => relationFor(sync, relation, source.name, each)),
        patienceMs: seconds * 1000,
        expected: expectedKeys(aside.filter((row) => row.target === each)),
        signal: context.signal,
        ...(limit === undefined ? {} : { limit }),
      });
      results.push({ target: each, ...equality } as z.output<typeof target>);
    }
    return { sync: name, equal: results.every((each) => each.equal), targets: results };
  },
  print({ sync, targets }, io) {
    for (const each of targets) {
      io.out(`Sync ${sync}, target ${each.target}: ${each.equal ? "equal" : "DIFFERENT"}`);
      for (const found of each.tables) {
        io.out(
          `  ${found.table}: ${found.equal ? "equal" : "different"}, ${found.sourceRows} rows on the source, ${found.targetRows} on the target`,
        );
        for (const { key: of, kind } of found.expected ?? []) io.out(`    (${of.join(", ")}) ${WORDS[kind]}, set aside`);
        for (const difference of found.differences) io.out(`    (${difference.key.join(", ")}) ${WORDS[difference.kind]}`);
        if (!found.complete) io.out("    and more; limit=N names more keys");
      }
      for (const found of each.sequences)
        io.out(
          `  ${found.sequence}: ${found.equal ? "equal" : `different, ${found.source.value} on the source, ${found.target.value} on the target`}`,
        );
      for (const problem of each.problems) io.out(`  ${problemText(problem)}`);
    }
  },
  exit: ({ equal }) => (equal ? 0 : 1),
});

function expectedKeys(rows: readonly SetAsideRow[]): Map<string, string[][]> {
  const keys = new Map<string, string[][]>();
  for (const { kind, table: name, key: of } of rows) if (kind === "refused") keys.set(name, [...(keys.get(name) ?? []), [...of]]);
  return keys;
}
