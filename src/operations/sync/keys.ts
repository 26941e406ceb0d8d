import { z } from "zod";
import { bool, integer, key, status, text } from "../input.ts";
import { interval } from "../interval.ts";

const onError = z
  .string()
  .transform((value) => value.toLowerCase().replace("-", "_"))
  .pipe(z.enum(["stop", "overwrite", "set_aside"], "must be stop, overwrite or set_aside"));

/** The policies of a sync that mean something here; shared by `add sync` and `update sync`. */
export const policyKeys = {
  autokick: key(bool.optional(), {
    about: "Run when the source changes (default on); off: only by kick and checktime.",
    aliases: ["ping"],
    value: "on|off",
  }),
  checktime: key(interval.optional(), { about: "Run at least this often.", value: '"5 minutes"' }),
  onetimecopy: key(integer(0, 2).optional(), {
    about: "1: the next run copies whole tables; 2: only tables that are empty on the target.",
    value: "0|1|2",
  }),
  status: key(status.optional(), { about: "Inactive syncs capture and do not run.", value: "active|inactive" }),
  strict_checking: key(bool.optional(), {
    about: "Differences of column order, defaults and NOT NULL are errors (default on).",
    value: "on|off",
  }),
  on_error: key(onError.optional(), {
    about: "When a target refuses a row: stop (default); overwrite what only the target has; set_aside the row and go on.",
    value: "stop|overwrite|set_aside",
  }),
  priority: key(integer(-32768, 32767).optional(), { about: "Order in lists and of starting; higher is first.", value: "N" }),
} as const;

/** Settings of versions 4 and 5, accepted so that old scripts run; kept with the sync and listed by `list sync -vv`. */
const LEGACY = {
  conflict_strategy: ["standard_conflict", "conflict"],
  stayalive: [],
  kidsalive: [],
  lifetime: [],
  maxkicks: [],
  overdue: [],
  expired: [],
  rebuild_index: ["rebuildindex"],
  isolation_level: ["txnmode"],
  analyze_after_copy: [],
  vacuum_after_copy: [],
  track_rates: [],
  deletemethod: [],
  copyextra: [],
  copytype: [],
  makedelta: [],
  source_makedelta: [],
  target_makedelta: [],
  usecustomselect: [],
  limitdbs: [],
  do_listen: [],
  disable_triggers: [],
  disable_rules: [],
} as const satisfies Readonly<Record<string, readonly string[]>>;

const legacyField = (aliases: readonly string[]) => key(text.optional(), { about: "Without meaning here.", aliases, legacy: true });
type LegacyKeys = Record<keyof typeof LEGACY, ReturnType<typeof legacyField>>;

export const legacyKeys: LegacyKeys = Object.fromEntries(
  Object.entries(LEGACY).map(([name, aliases]) => [name, legacyField(aliases)]),
) as LegacyKeys;

/** The legacy values that were given. */
export function legacyOf(input: Readonly<Record<string, unknown>>): Record<string, string> {
  const given = Object.entries(input).filter((entry): entry is [string, string] => entry[0] in LEGACY && typeof entry[1] === "string");
  return Object.fromEntries(given);
}

export type Policies = { [Name in keyof typeof policyKeys]?: z.output<(typeof policyKeys)[Name]> };
