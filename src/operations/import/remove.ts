import { z } from "zod";
import { dropPerlObjects, findPerlObjects, type PerlObject } from "../../capture/perl.ts";
import { readSyncs } from "../../control/sync.ts";
import { sourcesOf } from "../../model/sync.ts";
import { readDatabases } from "../../control/database.ts";
import { BucardoError } from "../../model/error.ts";
import { confirm } from "../change.ts";
import { daemonSettingsOf } from "../daemon/settings.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";

const output = z.object({
  databases: z.array(z.object({ db: z.string(), triggers: z.number(), tables: z.number(), functions: z.number() })),
  messages: z.array(z.string()),
});

export const importRemove = defineOperation({
  name: ["import", "remove"],
  summary: "Remove what the Perl program has put on the databases",
  description:
    "Triggers, delta and track tables and functions of Bucardo 4 or 5 on the databases that are registered here; ours stay. Each lock is tried briefly and repeated, so that no " +
    "application waits behind it. Only when its daemon is stopped and our syncs run: what waits in its tables is gone.",
  group: "installation",
  effect: "writes",
  http: { refused: "it is done once, with a server that is named on the line" },
  control: "required",
  input: z.object({ names: words({ about: "Databases; all sources of syncs when none is given.", value: "DB" }) }),
  output,
  examples: [{ command: "bucardo import remove --dryrun", about: "What would go." }],
  async run({ names }, context) {
    const control = await context.control();
    const syncs = await readSyncs(control);
    const asleep = syncs.filter(({ declared }) => declared === "inactive").map(({ name }) => name);
    if (asleep.length > 0 && !context.flags.force)
      throw new BucardoError("in-use", `These syncs do not run yet: ${asleep.join(", ")}.`, {
        advice: `\`${context.program} activate ${asleep.join(" ")}\` first, or pass --force. Nothing was removed.`,
      });
    const known = (await readDatabases(control)).map(({ name }) => name);
    const wanted = names.length > 0 ? names : [...new Set(syncs.flatMap(sourcesOf))];
    const strange = wanted.filter((name) => !known.includes(name));
    if (strange.length > 0)
      throw new BucardoError("unknown-object", `Unknown databases: ${strange.join(", ")}.`, { advice: "Nothing was removed." });
    const found: { readonly db: string; readonly objects: readonly PerlObject[] }[] = [];
    for (const db of wanted) found.push({ db, objects: await findPerlObjects(await context.connectTo(db)) });
    const lines = found.map(({ db, objects }) =>
      objects.length === 0
        ? `Nothing of the Perl program is on database "${db}"`
        : `${objects.length} objects of the Perl program on database "${db}"`,
    );
    if (context.flags.confirm && !context.flags.dryrun) await confirm(context, lines);
    const { lock_timeout: lockTimeoutMs, lock_attempts: attempts } = await daemonSettingsOf(context);
    for (const { db, objects } of context.flags.dryrun ? [] : found)
      await dropPerlObjects(await context.connectTo(db), objects, { lockTimeoutMs, attempts, signal: context.signal });
    const count = (of: (typeof found)[number], kind: string): number => of.objects.filter((object) => object.kind === kind).length;
    return {
      databases: found.map((of) => ({
        db: of.db,
        triggers: count(of, "trigger"),
        tables: count(of, "table"),
        functions: count(of, "function"),
      })),
      messages: lines,
    };
  },
  print({ databases }, io, { flags }) {
    for (const { db, triggers, tables, functions } of databases) {
      if (triggers + tables + functions === 0) io.out(`Nothing of the Perl program is on database "${db}"`);
      else
        io.out(
          `${flags.dryrun ? "Would remove" : "Removed"} ${triggers} triggers, ${tables} tables, ${functions} functions of the Perl program from database "${db}"`,
        );
    }
  },
});
