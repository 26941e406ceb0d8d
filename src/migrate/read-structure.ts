import { dumpSchema, type SchemaDump } from "../schema/dump.ts";
import { openEndpoint, type Endpoint } from "./endpoint.ts";
import type { MigrationOptions } from "./state.ts";

type Ends = { readonly old: Endpoint; readonly new: Endpoint; readonly signal: AbortSignal };

/** Written for the version of the new side, without what stays behind. Reads only. */
export async function readStructure({ old, new: young, signal }: Ends, options: MigrationOptions): Promise<SchemaDump> {
  await using source = await openEndpoint(old, "structure", signal);
  await using target = await openEndpoint(young, "structure", signal);
  return await dumpSchema({
    source: old.options,
    session: source,
    targetVersion: target.serverVersion,
    target,
    roles: options.roles,
    patterns: options,
    skip: options.skipObjects,
    pgDump: options.pgDump ?? undefined,
    signal,
  });
}
