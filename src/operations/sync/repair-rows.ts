import { z } from "zod";
import { touchKeys } from "../../capture/touch.ts";
import { daemonIsAlive } from "../../control/daemon.ts";
import { requestKick } from "../../control/kick.ts";
import { readSync } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import { sourcesOf } from "../../model/sync.ts";
import { relationFor } from "../../replicate/relation.ts";
import { compareSync } from "../../verify/compare.ts";
import type { Context } from "../context.ts";
import { waitForKick } from "../daemon/kick-wait.ts";
import { key, list, words } from "../input.ts";
import { interval } from "../interval.ts";
import { defineOperation } from "../operation.ts";
import { matcherOf } from "../pattern.ts";
import { serversOf } from "./servers.ts";

/** More keys of a table than this are not repaired but copied: `update sync .. onetimecopy=1`. */
const MOST_KEYS = 100_000;
/** How long keys are followed that may be on their way, in seconds. */
const PATIENCE = 10;

const touched = z.object({ target: z.string(), table: z.string(), keys: z.number() });

export const repair = defineOperation({
  name: ["repair"],
  summary: "Send rows again that differ on a target",
  description:
    "Compares, and lets the next run send every key that differs once more as it is on the source then: missing and changed rows come, rows that only the target " +
    "has go. While a daemon runs, the sync is kicked and waited for. Nothing is written past the engine, so nobody ever sees half of it.",
  group: "data",
  effect: "writes",
  control: "required",
  noise: ["sync"],
  input: z.object({
    words: words({ about: "The sync, and targets if not all are meant.", value: "SYNC [TARGET]", min: 1 }),
    tables: key(list.optional(), { about: "Only these tables; * and % are wildcards.", aliases: ["table"], value: "NAME,...", list: true }),
    patience: key(interval.optional(), {
      about: "How long to look again at keys that differ, as they may be on their way (default: 10 s with a daemon, else none).",
      value: "PERIOD",
    }),
    wait: key(interval.default(300), { about: "How long to wait for the run (default 5 minutes).", value: "PERIOD" }),
  }),
  output: z.object({ sync: z.string(), touched: z.array(touched), ran: z.boolean() }),
  examples: [{ command: "bucardo repair pepper tables=public.account", about: "What `compare` has shown, mended." }],
  async run({ words: [name = "", ...wanted], tables, patience, wait }, context) {
    const control = await context.control();
    const sync = await readSync(control, name);
    const targets = await serversOf(context, sync, wanted);
    const tests = (tables ?? ["*"]).map(matcherOf);
    const chosen = sync.relations.filter(
      (relation) => relation.kind === "table" && tests.some((test) => test(relation.name) || test(displayName(relation))),
    );
    const source = await context.connectTo(sourcesOf(sync)[0] ?? "");
    const alive = await daemonIsAlive(control);
    const found: z.output<typeof touched>[] = [];
    for (const target of targets) {
      const relations = chosen.map((relation) => relationFor(sync, relation, source.name, target));
      const equality = await compareSync({
        source,
        target: await context.connectTo(target),
        relations,
        patienceMs: (patience === undefined ? (alive ? PATIENCE : 0) : (patience ?? 0)) * 1000,
        limit: MOST_KEYS,
        signal: context.signal,
      });
      for (const table of equality.tables.filter((each) => !each.equal)) {
        if (!table.complete) throw tooMany(table.table, name);
        const relation = relations.find((each) => displayName(each.name) === table.table);
        if (relation === undefined) continue;
        if (!context.flags.dryrun)
          await touchKeys(
            source,
            relation.name,
            table.differences.map((difference) => difference.key),
          );
        found.push({ target, table: table.table, keys: table.differences.length });
      }
    }
    const ran = alive && found.length > 0 && !context.flags.dryrun && (await kickAndWait(context, sync, wait));
    return { sync: name, touched: found, ran };
  },
  print({ sync, touched: found, ran }, io, context) {
    if (found.length === 0) io.out(`Sync ${sync}: nothing differs.`);
    for (const { target, table, keys } of found) io.out(`${target}: ${table}: ${keys} keys are sent again`);
    if (found.length > 0 && !ran)
      io.out(`The next run sends them: \`${context.program} start\`, or \`${context.program} kick ${sync} 0\`.`);
  },
});

async function kickAndWait(
  context: Context,
  sync: { readonly id: string; readonly name: string },
  seconds: number | null,
): Promise<boolean> {
  const kick = await requestKick(await context.control(), sync.id);
  const limitMs = seconds === null ? null : seconds * 1000;
  const end = await waitForKick(context, { sync: sync.name, syncId: sync.id, kick, began: performance.now(), limitMs, timer: false });
  return end.outcome === "done";
}

function tooMany(table: string, sync: string): BucardoError {
  return new BucardoError("not-equal", `more than ${MOST_KEYS} keys of ${table} differ: that is no repair but a copy`, {
    table,
    sync,
    advice: `\`bucardo update sync ${sync} onetimecopy=1\` copies the tables of the sync again. Nothing was changed.`,
  });
}
