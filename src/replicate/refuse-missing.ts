import { readInCopy } from "../capture/in-copy.ts";
import { BucardoError } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import type { RunDefinition } from "./definition.ts";
import type { KnownTable } from "./known-table.ts";
import { renamedColumns } from "./renamed.ts";

/** Tables of the definition that are not captured under their names: never, or they were dropped, renamed or moved. Errors: checkpoint-missing. */
export async function refuseMissing(source: Session, definition: RunDefinition, all: readonly KnownTable[]): Promise<void> {
  const there = new Set(all.filter((table) => !table.dropped).map((table) => displayName(table.name)));
  const absent = definition.relations.filter((relation) => relation.kind === "table" && !there.has(displayName(relation.name)));
  const copied = absent.length === 0 ? new Set<string>() : new Set((await readInCopy(source, definition)).map(displayName));
  const missing = absent.filter((relation) => !copied.has(displayName(relation.name)));
  const [first] = missing;
  if (first === undefined) return;
  const { name: sync } = definition.sync;
  const place = { db: source.name, sync, table: displayName(first.name) };
  const renamed = all.find((table) => !table.dropped && displayName(table.was) === displayName(first.name));
  if (renamed !== undefined) {
    const [was, now] = [displayName(renamed.was), displayName(renamed.name)];
    throw new BucardoError("checkpoint-missing", `${was} is called ${now} on source ${source.name} now`, {
      ...place,
      advice:
        `On ${source.name}: ${nameBack(renamed)} Or go on under the new name: rename it on the target too, \`bucardo update sync ${sync} remove table ${was}\`, ` +
        `\`bucardo update sync ${sync} add table ${now}\`, \`bucardo update sync ${sync} onetimecopy=1\`. ` +
        `Or, if another table has taken the name: \`bucardo validate ${sync}\`.`,
    });
  }
  const names = missing.map((relation) => displayName(relation.name)).join(", ");
  throw new BucardoError(
    "checkpoint-missing",
    `${names} is not captured on source ${source.name} (dropped, renamed, or not yet validated)`,
    {
      ...place,
      advice: `Run \`bucardo validate ${sync}\`, or take the table out of the sync: \`bucardo update sync ${sync} remove table ${place.table}\`.`,
    },
  );
}

function nameBack({ was, name }: { readonly was: QualifiedName; readonly name: QualifiedName }): string {
  const rename = was.name === name.name ? [] : [`alter table ${quoteName(name)} rename to ${quoteIdent(was.name)};`];
  const move =
    was.schema === name.schema
      ? []
      : [`alter table ${quoteName({ schema: name.schema, name: was.name })} set schema ${quoteIdent(was.schema)};`];
  return [...rename, ...move].join(" ");
}

/** Said without waiting for a change: the application's writes fail in our trigger functions meanwhile (hazard 28). Errors: schema-mismatch. */
export function refuseLostKey(source: Session, { sync, target }: RunDefinition, tables: readonly KnownTable[]): void {
  const table = tables.find((each) => each.lostKey.length > 0);
  if (table === undefined) return;
  const name = displayName(table.name);
  const renamed =
    table.state === null ? [] : renamedColumns(table.before, table.state.shape).filter(({ from }) => table.lostKey.includes(from));
  const what = renamed.length === 0 ? "was renamed or dropped" : `was renamed to ${renamed.map(({ to }) => to).join(", ")}`;
  const there = renamed.map(
    ({ from, to }) => `alter table ${quoteName(table.name)} rename column ${quoteIdent(from)} to ${quoteIdent(to)};`,
  );
  throw new BucardoError("schema-mismatch", `key column ${table.lostKey.join(", ")} of ${name} on source ${source.name} ${what}`, {
    db: source.name,
    sync: sync.name,
    table: name,
    advice:
      `Writes to ${name} fail until the column has its old name, or its key is captured again: ` +
      `${there.length === 0 ? "" : `On ${target}: ${there.join(" ")} Then `}\`bucardo validate ${sync.name}\`.`,
  });
}
