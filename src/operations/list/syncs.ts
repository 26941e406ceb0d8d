import { z } from "zod";
import { readSyncSettings } from "../../control/sync-setting.ts";
import { readSyncs, type SyncRow } from "../../control/sync.ts";
import { displayName } from "../../model/name.ts";
import type { Session } from "../../postgres/session.ts";
import { words } from "../input.ts";
import { showInterval } from "../interval.ts";
import type { Io } from "../io.ts";
import { defineOperation } from "../operation.ts";
import { isPattern, matcherOf } from "../pattern.ts";
import { allColumns, emptyText, printRows } from "./describe.ts";
import { memberText } from "./groups.ts";

const row = z.object({
  name: z.string(),
  id: z.string(),
  relgroup: z.string(),
  dbgroup: z.string(),
  members: z.array(z.object({ db: z.string(), role: z.string(), priority: z.number() })),
  relations: z.array(z.string()),
  /** Known and not replicated. */
  ghosts: z.array(z.string()),
  status: z.enum(["active", "inactive"]),
  paused: z.boolean(),
  /** False: capture is not complete; `validate` finishes it. */
  ready: z.boolean(),
  autokick: z.boolean(),
  /** Seconds. */
  checktime: z.number().nullable(),
  onetimecopy: z.number(),
  strict_checking: z.boolean(),
  on_error: z.enum(["stop", "overwrite", "set_aside"]),
  conflict_strategy: z.string(),
  fk_conflict: z.string(),
  sequence_conflict: z.string(),
  priority: z.number(),
  /** Settings of its own. */
  settings: z.record(z.string(), z.string()),
  /** Settings of older versions that were given and mean nothing here. */
  legacy: z.record(z.string(), z.string()),
});
export type ListedSync = z.output<typeof row>;

export const listSyncs = defineOperation({
  name: ["list", "syncs"],
  summary: "Show the syncs",
  description: "Filters: names, patterns, active, inactive, COLUMN=VALUE. -v adds the tables, -vv every column.",
  group: "syncs",
  effect: "reads",
  control: "required",
  otherPairs: "word",
  input: z.object({ filters: words({ about: "Which ones; all when none is given.", value: "FILTER" }) }),
  output: z.object({ syncs: z.array(row), filtered: z.boolean() }),
  examples: [{ command: "bucardo list syncs active autokick=false", about: "Active ones that run only when kicked." }],
  run: async ({ filters }, context) => ({ syncs: await syncRows(await context.control(), filters), filtered: filters.length > 0 }),
  print: ({ syncs, filtered }, io) => printSyncs(syncs, filtered, io),
});

export async function syncRows(control: Session, filters: readonly string[]): Promise<ListedSync[]> {
  const own = await readSyncSettings(control);
  const rows = (await readSyncs(control)).map((sync) => toRow(sync, own.get(sync.id) ?? {}));
  // Names widen the choice, conditions narrow it.
  const [conditions, names] = [filters.filter(isCondition), filters.filter((word) => !isCondition(word))];
  const named = names.length === 0 ? rows : rows.filter(({ name }) => names.some((word) => matcherOf(word)(name)));
  return named.filter((sync) => conditions.every((word) => holds(sync, word)));
}

function isCondition(word: string): boolean {
  return /^(in)?active$/i.test(word) || word.includes("=");
}

function holds(sync: ListedSync, condition: string): boolean {
  if (!condition.includes("=")) return sync.status === condition.toLowerCase();
  const [column = "", ...rest] = condition.split("=");
  const known: Record<string, unknown> = {
    ...sync.legacy,
    ...sync.settings,
    ...sync,
    legacy: null,
    settings: null,
    members: null,
    relations: sync.relations.join(","),
    ghosts: sync.ghosts.join(","),
    ping: sync.autokick,
    herd: sync.relgroup,
  };
  const value = known[column.toLowerCase()];
  const wanted = rest.join("=");
  const text =
    typeof value === "boolean"
      ? [String(value), value ? "1" : "0", value ? "on" : "off"]
      : [typeof value === "string" || typeof value === "number" ? `${value}` : ""];
  return text.some((each) => (isPattern(wanted) ? matcherOf(wanted)(each) : each.toLowerCase() === wanted.toLowerCase()));
}

function toRow(sync: SyncRow, settings: Readonly<Record<string, string>>): ListedSync {
  const { name, id, relgroup, dbgroup, status, paused, ready, autokick, checktime, onetimecopy, priority } = sync;
  const members = sync.members.map((member) => ({ ...member }));
  const [relations, ghosts] = [sync.relations.map(displayName), sync.ghosts.map(displayName)];
  return {
    name,
    id,
    relgroup,
    dbgroup,
    members,
    relations,
    ghosts,
    status,
    paused,
    ready,
    autokick,
    checktime,
    onetimecopy,
    strict_checking: sync.strictChecking,
    on_error: sync.onError,
    conflict_strategy: sync.conflictStrategy,
    fk_conflict: sync.fkConflict,
    sequence_conflict: sync.sequenceConflict,
    priority,
    settings: { ...settings },
    legacy: sync.legacy,
  };
}

export function printSyncs(rows: readonly ListedSync[], filtered: boolean, io: Io): void {
  const width = Math.max(0, ...rows.map(({ name }) => name.length)) + 2;
  printRows(io, rows, emptyText("syncs", filtered), (sync) => [
    `Sync ${`"${sync.name}"`.padEnd(width)}  Relgroup "${sync.relgroup}"  DB group "${sync.dbgroup}" ${sync.members.map(memberText).join(" ")}  [${stateText(sync)}]`,
    ...(io.verbose < 1 ? [] : details(sync)),
    ...(io.verbose < 2 ? [] : allColumns(sync)),
  ]);
}

function stateText({ status, paused, ready, name }: ListedSync): string {
  if (!ready) return `Inactive: capture is not complete, \`validate ${name}\` finishes it`;
  return `${status === "active" ? "Active" : "Inactive"}${paused ? ", paused" : ""}`;
}

function details({ autokick, checktime, onetimecopy, on_error, relations, ghosts, settings, legacy }: ListedSync): string[] {
  const when = [autokick ? "on change" : null, checktime === null ? null : `every ${showInterval(checktime)}`, "when kicked"].filter(
    (each) => each !== null,
  );
  const copy = onetimecopy === 0 ? [] : [`  Copies whole tables at the next run (onetimecopy=${onetimecopy})`];
  const refused = on_error === "stop" ? [] : [`  When a target refuses a row: ${on_error}`];
  const own = Object.entries(settings).map(([name, value]) => `  ${name} = ${value}`);
  const without = Object.keys(legacy).length === 0 ? [] : [`  Without meaning here: ${Object.keys(legacy).join(", ")}`];
  const members = [...relations, ...ghosts.map((ghost) => `${ghost} (ghost: not replicated)`)];
  return [`  Runs ${when.join(", ")}`, ...copy, ...refused, ...own, ...without, ...members.map((member) => `  ${member}`)];
}
