import { z } from "zod";
import { settings, syncSettings, type SettingName } from "../../config/setting.ts";
import type { CopyPolicy } from "../../model/sync.ts";
import { foreignKeyPolicies, sequencePolicies } from "../../model/conflict.ts";
import { bool, integer, key, status, text } from "../input.ts";
import { interval } from "../interval.ts";

const onError = z
  .string()
  .transform((value) => value.toLowerCase().replace("-", "_"))
  .pipe(z.enum(["stop", "overwrite", "set_aside"], "must be stop, overwrite or set_aside"));

const deleteMethod = z
  .string()
  .transform((value) => value.toLowerCase())
  .pipe(z.enum(["delete", "truncate", "truncate_cascade"], "must be delete, truncate or truncate_cascade"));

/** Rows go into new pages anyway, and formats are what both servers agree on; FREEZE is taken by itself where the server allows it. */
const copyExtra = z.string().transform((value, context) => {
  if (/^\s*(with\s*)?(\(?\s*freeze\s*\)?)?\s*$/i.test(value)) return value;
  context.addIssue({
    code: "custom",
    message: `is not offered: what COPY needs is chosen by itself; settings for its session go to the role there (alter role .. set ..), not "${value}"`,
  });
  return z.NEVER;
});

/** Versions 4 and 5 also knew 2. */
export const rebuildIndex = z.preprocess((value) => (value === "2" || value === 2 ? "1" : value), bool);

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
  conflict_strategy: key(text.optional(), {
    about: "Between several sources, whose change of a row counts (default bucardo_latest); a table can have its own.",
    aliases: ["standard_conflict", "conflict"],
    value: "bucardo_latest|...|A,B",
  }),
  fk_conflict: key(z.enum(foreignKeyPolicies, "must be restore, delete or ignore").optional(), {
    about:
      "A row is deleted on one source, and another one referring to it added elsewhere: restore it (default), or delete what refers to it.",
    value: "restore|delete|ignore",
  }),
  sequence_conflict: key(z.enum(sequencePolicies, "must be highest or lowest").optional(), {
    about: "Which position of a sequence counts between several sources (default highest).",
    value: "highest|lowest",
  }),
  deletemethod: key(deleteMethod.optional(), {
    about: "How whole copies (role fullcopy) empty a table: delete (default, readers see no gap), truncate, truncate_cascade.",
    value: "delete|truncate|truncate_cascade",
  }),
  analyze_after_copy: key(bool.optional(), { about: "ANALYZE on the target after a copy of whole tables (default on).", value: "on|off" }),
  vacuum_after_copy: key(bool.optional(), { about: "VACUUM on the target after it (default off).", value: "on|off" }),
  rebuild_index: key(rebuildIndex.optional(), {
    about: "Indexes are built anew after a whole copy (role fullcopy; default off).",
    aliases: ["rebuildindex"],
    value: "on|off",
  }),
  copyextra: key(copyExtra.optional(), { about: "Empty or FREEZE: what COPY needs is chosen by itself.", value: "" }),
  priority: key(integer(-32768, 32767).optional(), { about: "Order in lists and of starting; higher is first.", value: "N" }),
} as const;

/** Settings of versions 4 and 5, accepted so that old scripts run; kept with the sync and listed by `list sync -vv`. */
const LEGACY = {
  stayalive: [],
  kidsalive: [],
  lifetime: [],
  maxkicks: [],
  isolation_level: ["txnmode"],
  track_rates: [],
  copytype: [],
  makedelta: [],
  source_makedelta: [],
  target_makedelta: [],
  usecustomselect: [],
  do_listen: [],
  disable_triggers: [],
  disable_rules: [],
} as const satisfies Readonly<Record<string, readonly string[]>>;

const legacyField = (aliases: readonly string[]) => key(text.optional(), { about: "Without meaning here.", aliases, legacy: true });
type LegacyKeys = Record<keyof typeof LEGACY, ReturnType<typeof legacyField>>;

export const legacyKeys: LegacyKeys = Object.fromEntries(
  Object.entries(LEGACY).map(([name, aliases]) => [name, legacyField(aliases)]),
) as LegacyKeys;

/** A value of a setting, as text: it is stored so. */
const settingField = (name: SettingName) =>
  key(
    z
      .union([z.string(), z.number()])
      .transform(String)
      .superRefine((value, context) => {
        const checked = settings[name].type.safeParse(value);
        if (checked.success || value.toLowerCase() === "default") return;
        context.addIssue({ code: "custom", message: checked.error.issues[0]?.message ?? "has no such value" });
      })
      .optional(),
    { about: `${settings[name].meaning} The setting of that name for this sync.`, value: "VALUE" },
  );
type SettingKeys = Record<(typeof syncSettings)[number], ReturnType<typeof settingField>>;

/** Settings that a sync may have of its own. */
export const settingKeys: SettingKeys = Object.fromEntries(syncSettings.map((name) => [name, settingField(name)])) as SettingKeys;

/** Those that were given; null: back to the installation's. */
export function settingsOf(input: Readonly<Record<string, unknown>>): Record<string, string | null> {
  const given = syncSettings.filter((name) => typeof input[name] === "string");
  return Object.fromEntries(given.map((name) => [name, String(input[name]).toLowerCase() === "default" ? null : String(input[name])]));
}

/** The legacy values that were given. */
export function legacyOf(input: Readonly<Record<string, unknown>>): Record<string, string> {
  const given = Object.entries(input).filter((entry): entry is [string, string] => entry[0] in LEGACY && typeof entry[1] === "string");
  return Object.fromEntries(given);
}

export type Policies = { [Name in keyof typeof policyKeys]?: z.output<(typeof policyKeys)[Name]> };

/** The policies of copies that were given, for a sync or a table. */
export function copyingOf(
  policies: Pick<Policies, "deletemethod" | "rebuild_index" | "analyze_after_copy" | "vacuum_after_copy">,
): Partial<CopyPolicy> {
  const { deletemethod, rebuild_index, analyze_after_copy, vacuum_after_copy } = policies;
  return {
    ...(deletemethod !== undefined && { deleteMethod: deletemethod }),
    ...(rebuild_index !== undefined && { rebuildIndex: rebuild_index }),
    ...(analyze_after_copy !== undefined && { analyze: analyze_after_copy }),
    ...(vacuum_after_copy !== undefined && { vacuum: vacuum_after_copy }),
  };
}
