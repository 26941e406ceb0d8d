import { openEndpoint, type Endpoint } from "./endpoint.ts";
import { readComparedTables } from "./compared-table.ts";
import { reportHtml } from "./report.ts";
import { readSamples, readSteps, requireMigration } from "./state.ts";

/** The report of a move as it stands now: text of an HTML file. Reads only. Errors: migration-missing. */
export async function makeReport(
  ends: { readonly old: Endpoint; readonly new: Endpoint; readonly signal: AbortSignal },
  program: string,
): Promise<string> {
  await using old = await openEndpoint(ends.old, "report", ends.signal);
  const migration = await requireMigration(old);
  await using young = await openEndpoint(ends.new, "report", ends.signal);
  return reportHtml({
    program,
    from: ends.old.place,
    to: ends.new.place,
    fromVersion: versionText(old.serverVersion),
    toVersion: versionText(young.serverVersion),
    migration,
    steps: await readSteps(old),
    samples: await readSamples(old),
    tables: await readComparedTables(old, migration),
    madeAt: new Date(),
  });
}

/** 120022 -> 12.22 */
function versionText(version: number): string {
  return `${Math.floor(version / 10_000)}.${version % 10_000}`;
}
