import { displayName, firstOf } from "../model/name.ts";
import type { Inventory, InventoryTable } from "../schema/inventory.ts";
import { note, stop, warning, type Finding } from "./finding.ts";
import type { MovedTable, Selection } from "./selection.ts";

/** A table without key larger than this keeps writers waiting for too long to be copied while nobody writes. */
export const WINDOW_BYTES = 64 * 1024 * 1024;

/** What of an inventory a mover should know before the move, in the order of importance. Pure. */
export function judge(inventory: Inventory, selection: Selection): Finding[] {
  const moved = new Map(selection.tables.map((table) => [displayName(table), table]));
  const tables = inventory.tables.filter((table) => moved.has(displayName(table)));
  return [
    ...tables.filter(({ key }) => key === null).map((table) => withoutKey(table, moved.get(displayName(table))!.handling)),
    ...inventory.preparedTransactions.map(({ gid, ageSeconds }) =>
      warning(
        `the prepared transaction '${gid}' is open for ${age(ageSeconds)}`,
        `Triggers cannot be made on its tables: commit prepared or rollback prepared '${gid}'.`,
      ),
    ),
    ...inventory.longTransactions.map(({ pid, user, application, ageSeconds }) =>
      warning(
        `backend ${pid} (${[user, application].filter(Boolean).join(", ")}) has a transaction open for ${age(ageSeconds)}`,
        `If it wrote to a table, triggers wait for it: end it, or select pg_terminate_backend(${pid});`,
      ),
    ),
    ...inventory.subscriptions
      .filter(({ enabled }) => enabled)
      .map(({ name }) =>
        stop(
          `the subscription ${name} writes to this database past statement triggers`,
          `alter subscription ${name} disable; and move what it feeds by itself.`,
        ),
      ),
    ...tables
      .filter(({ persistence }) => persistence === "u")
      .map((table) => note(`${displayName(table)} is unlogged: it arrives, and a crash of either server empties its side`)),
    ...tables
      .filter(({ foreignPartitions }) => foreignPartitions.length > 0)
      .map((table) =>
        stop(
          `${displayName(table)} has partitions on other servers: ${table.foreignPartitions.join(", ")}`,
          "Detach them, or skip the table.",
        ),
      ),
    ...tables
      .filter(({ rowSecurity }) => rowSecurity)
      .map((table) =>
        stop(`row level security hides rows of ${displayName(table)} from our user`, "Connect as its owner, or as a role with BYPASSRLS."),
      ),
    ...inventory.foreignTables.map((table) =>
      note(`${displayName(table)} is a foreign table: its definition is carried, its rows stay where they are`),
    ),
    ...inventory.materializedViews.map((view) => note(`${displayName(view)} is a materialized view: it is refreshed on the new side`)),
    ...largeObjects(inventory),
    ...inventory.publications.map(({ name }) =>
      warning(
        `the publication ${name} is made on the new side; its subscribers stay with the old one`,
        "Point them to the new side after the cutover, and copy their data anew.",
      ),
    ),
    ...inventory.slots.map(({ name, plugin }) =>
      warning(
        `the replication slot ${name} (${plugin ?? "physical"}) belongs to somebody else and does not move`,
        "Whoever reads it must begin anew on the new side.",
      ),
    ),
    ...inventory.eventTriggers
      .filter(({ enabled }) => enabled !== "D")
      .map(({ name, event }) =>
        warning(
          `the event trigger ${name} (${event}) fires for the triggers that we make`,
          "See that it lets them through, or disable it for the move.",
        ),
      ),
    ...selection.leftOut.map((each) => note(`${displayName(each)} stays behind: it ${each.why}`)),
    ...neverAnalyzed(tables),
  ];
}

function withoutKey(table: InventoryTable, handling: MovedTable["handling"]): Finding {
  const name = displayName(table);
  if (handling === "image")
    return note(
      `${name} has no key (${table.noKey ?? "none"}): it is followed by what its rows hold; before and in the cutover a change or deletion reads it once as a whole`,
    );
  if (table.bytes <= WINDOW_BYTES)
    return note(`${name} has no key (${table.noKey ?? "none"}): it is small, and copied whole while writers wait at the cutover`);
  return warning(
    `${name} has no key (${table.noKey ?? "none"}) and is ${Math.round(table.bytes / 1024 / 1024)} MB: writers wait at the cutover while it is copied`,
    `Add a key: alter table ${name} add primary key (...); or create unique index concurrently on columns that are NOT NULL; or --skip it.`,
  );
}

function largeObjects({ largeObjects: { count, bytes } }: Inventory): Finding[] {
  if (count === 0) return [];
  return [
    warning(
      `${count} large objects (${Math.round(bytes / 1024 / 1024)} MB) are copied before the cutover; changes to them after that are not captured`,
      "Change none between `migrate start` and the cutover; the gate large-objects counts them.",
    ),
  ];
}

function neverAnalyzed(tables: readonly InventoryTable[]): Finding[] {
  const some = tables.filter(({ rows, bytes }) => rows === null && bytes > 1024 * 1024);
  if (some.length === 0) return [];
  return [note(`nobody has analyzed ${firstOf(some.map(displayName))}: estimates are rough`, "analyze;")];
}

function age(seconds: number): string {
  return seconds < 3600 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3600)} hours`;
}
