import { z } from "zod";
import { countPerlWaiting4, countPerlWaiting5, type PerlWaiting } from "../../capture/perl.ts";
import { readPerl } from "../../control/perl.ts";
import { readSyncs, type SyncRow } from "../../control/sync.ts";
import { sourcesOf } from "../../model/sync.ts";
import type { PerlInstallation } from "../../model/perl.ts";
import { sql } from "../../postgres/sql.ts";
import type { Context } from "../context.ts";
import { key, text } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { openOld } from "./import.ts";
import { text as textOf } from "./step.ts";

const output = z.object({
  sources: z.array(z.object({ sync: z.string(), db: z.string(), table: z.string(), waiting: z.number() })),
  unknown: z.array(z.string()),
});

export const importCheck = defineOperation({
  name: ["import", "check"],
  summary: "Is the Perl program drained, so that it may be stopped?",
  description:
    "Counts, on each source, the changes that only the Perl program has captured and has not delivered yet: those of before our capture began. When there are none it may be " +
    "stopped for good; what waits in it besides, ours has too. Changes nothing.",
  group: "installation",
  effect: "reads",
  http: { refused: "it is done once, with a server that is named on the line" },
  control: "required",
  input: z.object({ from: key(text, { about: "The old control database.", value: "postgresql://..." }) }),
  output,
  examples: [{ command: "bucardo import check --from postgresql://bucardo@old.example/bucardo", about: "Exit code 0: drained." }],
  exitCodes: { 0: "nothing waits there that ours does not have", 1: "something does, or a sync is not known here" },
  async run({ from }, context) {
    await using old = await openOld(from, context);
    const installation = await readPerl(old);
    const ours = await readSyncs(await context.control());
    const sources: z.output<typeof output>["sources"] = [];
    const unknown: string[] = [];
    for (const row of installation.syncs) {
      const name = textOf(row, "name") ?? "";
      const sync = ours.find((each) => each.name === name && each.ready);
      if (sync === undefined) unknown.push(name);
      else
        for (const db of sourcesOf(sync))
          for (const each of await waitingOn(context, installation, sync, db)) sources.push({ db, ...each });
    }
    return { sources, unknown };
  },
  print({ sources, unknown }, io, { program }) {
    for (const name of unknown) io.out(`Sync ${name} is not here, or its capture is not complete: ${program} import`);
    for (const { sync, db, table, waiting } of sources)
      if (waiting > 0) io.out(`${sync}: ${waiting} changes of ${table} on ${db} wait in the Perl program only`);
    const waits = sources.some(({ waiting }) => waiting > 0);
    if (waits) io.out("Kick that sync there once more and wait (bucardo kick SYNC 0); then look again.");
    else if (unknown.length === 0) io.out("Drained: the Perl program may be stopped.");
  },
  exit: ({ sources, unknown }) => (unknown.length > 0 || sources.some(({ waiting }) => waiting > 0) ? 1 : 0),
});

async function waitingOn(context: Context, { version, syncs }: PerlInstallation, sync: SyncRow, db: string): Promise<PerlWaiting[]> {
  const source = await context.connectTo(db);
  // Every target's capture began when its checkpoint was first taken; a sync that has run is beyond that.
  const [began] = await source.query<{ at: string }>(
    sql(
      "perl.capture-began",
      "select min(c.taken_at)::text as at from bucardo.checkpoint c where c.sync = $1 having min(c.taken_at) is not null",
      [sync.id],
    ),
  );
  if (began === undefined) return [];
  if (version === 4) return await countPerlWaiting4(source, sync.name, began.at);
  const dbgroup = textOf(syncs.find((row) => row["name"] === sync.name) ?? {}, "dbs") ?? "";
  return await countPerlWaiting5(source, sync.name, dbgroup, began.at);
}
