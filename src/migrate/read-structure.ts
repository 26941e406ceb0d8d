import type { Problem } from "../model/error.ts";
import { dumpSchema } from "../schema/dump.ts";
import type { Dumper } from "../schema/dumper.ts";
import { filterObjects } from "../schema/filter.ts";
import type { SchemaObject } from "../schema/object.ts";
import { surroundings } from "../schema/surroundings.ts";
import { openEndpoint, type Endpoint } from "./endpoint.ts";
import type { MigrationOptions } from "./state.ts";

/** All that is made on the new side, in an order in which it can be: roles first, settings of the database last. */
export type Structure = {
  readonly by: Dumper;
  readonly objects: readonly SchemaObject[];
  /** What is left out or will be different. */
  readonly notes: readonly Problem[];
};

type Ends = { readonly old: Endpoint; readonly new: Endpoint; readonly signal: AbortSignal };

/** Written for the version of the new side, without what stays behind. Reads only. */
export async function readStructure({ old, new: young, signal }: Ends, options: MigrationOptions): Promise<Structure> {
  await using source = await openEndpoint(old, "structure", signal);
  await using target = await openEndpoint(young, "structure", signal);
  const dump = await dumpSchema({
    source: old.options,
    session: source,
    targetVersion: target.serverVersion,
    pgDump: options.pgDump ?? undefined,
    signal,
  });
  const filtered = await filterObjects(source, dump.objects, options);
  const around = await surroundings(source, target, options.roles);
  return {
    by: dump.by,
    objects: [...around.before, ...filtered.objects, ...around.after],
    notes: [...dump.notes, ...filtered.notes, ...around.notes],
  };
}
