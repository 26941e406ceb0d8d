import { z } from "zod";
import { purge as purgeOnce, type PurgeReport } from "../../capture/purge.ts";
import { sourcesOf } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import type { Context } from "../context.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { selectSyncs } from "./select-syncs.ts";
import { readSources } from "./sources.ts";

const report = z.object({
  db: z.string(),
  sync: z.string().nullable(),
  rotated: z.number(),
  emptied: z.number(),
  held: z.number(),
  bytesFreed: z.number(),
});

export const purge = defineOperation({
  name: ["purge"],
  summary: "Drop the deltas that every target has passed",
  description:
    "The daemon does this by itself. Without names, or with all: every source; with names of syncs: only their tables. Never touches a user's table.",
  group: "data",
  effect: "writes",
  rehearsable: false,
  control: "required",
  noise: ["sync", "syncs"],
  input: z.object({ syncs: words({ about: "Names of syncs, wildcards, or all.", value: "SYNC" }) }),
  output: z.object({ purged: z.array(report) }),
  examples: [{ command: "bucardo purge", about: "Every source database." }],
  async run({ syncs }, context) {
    const whole = syncs.length === 0 || syncs.some((word) => word.toLowerCase() === "all");
    return { purged: whole ? await purgeSources(context) : await purgeSyncs(context, syncs) };
  },
  print({ purged }, io) {
    if (purged.length === 0) io.out("No database is the source of a sync.");
    for (const { db, sync, emptied, held, bytesFreed } of purged) {
      const kept = held === 0 ? "" : `, still needed or in use: ${held}`;
      io.out(`${db}${sync === null ? "" : ` (${sync})`}: Delta tables purged: ${emptied} (${Math.round(bytesFreed / 1024)} kB)${kept}`);
    }
  },
});

/** What has grown is retired first, and then emptied too where nobody needs it. */
async function purgeWhole(source: Session, sync?: string): Promise<PurgeReport> {
  const only = sync === undefined ? {} : { sync };
  const first = await purgeOnce(source, only);
  const second = await purgeOnce(source, { ...only, rotateBytes: Number.POSITIVE_INFINITY });
  return {
    rotated: first.rotated,
    emptied: first.emptied + second.emptied,
    held: second.held,
    bytesFreed: first.bytesFreed + second.bytesFreed,
    snapshot: second.snapshot,
  };
}

async function purgeSources(context: Context): Promise<z.output<typeof report>[]> {
  const { sources } = await readSources(await context.control(), []);
  return await Promise.all(sources.map(async ({ db }) => ({ db, sync: null, ...(await purgeWhole(await context.connectTo(db))) })));
}

async function purgeSyncs(context: Context, names: readonly string[]): Promise<z.output<typeof report>[]> {
  const reports: z.output<typeof report>[] = [];
  for (const sync of await selectSyncs(await context.control(), names)) {
    for (const db of sourcesOf(sync)) {
      reports.push({ db, sync: sync.name, ...(await purgeWhole(await context.connectTo(db), sync.id)) });
    }
  }
  return reports;
}
