import { z } from "zod";
import { nearest } from "../../catalog/nearest.ts";
import { declarationOf, legacySettings, settings, type SettingName } from "../../config/setting.ts";
import { readSettings } from "../../control/setting.ts";
import { readSync } from "../../control/sync.ts";
import { readSyncSettings } from "../../control/sync-setting.ts";
import { BucardoError } from "../../model/error.ts";
import { key, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";

const row = z.object({
  name: z.string(),
  value: z.string(),
  default: z.string(),
  /** Set in the control database, or for this process by rc file or option. */
  changed: z.boolean(),
  meaning: z.string(),
  legacy: z.boolean(),
});
export type SettingRow = z.output<typeof row>;

export const show = defineOperation({
  name: ["show"],
  synonyms: [["config", "show"], ["show", "config"], ["list", "config"], ["config"]],
  summary: "Show settings",
  description: "all (the default), changed, or names as regular expressions. -v tells what each one means.",
  group: "settings",
  effect: "reads",
  control: "required",
  input: z.object({
    names: words({ about: "all, changed, or regular expressions.", value: "NAME" }),
    sync: key(text.optional(), { about: "As they are for this sync.", value: "SYNC" }),
  }),
  output: z.object({ settings: z.array(row) }),
  examples: [{ command: "bucardo show log_ -v", about: "Everything about the log, explained." }],
  async run({ names, sync }, context) {
    const control = await context.control();
    const own = sync === undefined ? {} : ((await readSyncSettings(control)).get((await readSync(control, sync)).id) ?? {});
    const rows = settingRows({ ...(await readSettings(control)), ...context.config.overrides, ...own });
    const chosen = choose(rows, names);
    if (chosen.length === 0 && names.length > 0 && names[0]?.toLowerCase() !== "changed") {
      const near = nearest(names[0] ?? "", Object.keys(settings));
      throw new BucardoError("unknown-object", `There is no setting that fits "${names.join(" ")}".`, {
        advice: near === null ? "`bucardo show all` lists them." : `Did you mean ${near}?`,
      });
    }
    return { settings: chosen };
  },
  print({ settings: rows }, io) {
    const width = Math.max(0, ...rows.map(({ name }) => name.length));
    if (rows.length === 0) io.out("No settings have been changed");
    for (const { name, value, meaning, legacy } of rows) {
      const shown = `${name.padEnd(width)} = ${value}`.trimEnd();
      io.out(legacy ? `${shown}  (without meaning here)` : shown);
      if (io.verbose > 0 && meaning !== "") io.out(`    ${meaning}`);
    }
  },
});

/** Every setting, and of the legacy ones those that were set. */
function settingRows(given: Readonly<Record<string, string>>): SettingRow[] {
  const known = (Object.keys(settings) as SettingName[]).map((name): SettingRow => {
    const { default: initial, meaning } = settings[name];
    const value = given[name] ?? initial;
    const shown = declarationOf(name).secret === true && value !== "" && !value.startsWith("env:") ? "(sealed)" : value;
    return { name, value: shown, default: initial, changed: value !== initial, meaning, legacy: false };
  });
  const legacy = legacySettings.flatMap((name): SettingRow[] => {
    const value = given[name];
    return value === undefined ? [] : [{ name, value, default: "", changed: true, meaning: "", legacy: true }];
  });
  return [...known, ...legacy].toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function choose(rows: readonly SettingRow[], names: readonly string[]): SettingRow[] {
  if (names.length === 0 || names.some((name) => name.toLowerCase() === "all")) return [...rows];
  if (names.length === 1 && names[0]?.toLowerCase() === "changed") return rows.filter((setting) => setting.changed);
  const tests = names.map(expression);
  return rows.filter(({ name }) => tests.some((test) => test.test(name)));
}

function expression(pattern: string): RegExp {
  try {
    return new RegExp(pattern, "i");
  } catch {
    throw new BucardoError("bad-value", `"${pattern}" is no regular expression.`);
  }
}
