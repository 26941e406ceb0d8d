import { isSettingName, legacySettings } from "../../config/setting.ts";
import type { PerlInstallation } from "../../model/perl.ts";
import { text, type ImportNote, type ImportStep } from "./step.ts";

/** What belongs to the old installation itself: its places, and what it remembers. */
const OWN = new Set([
  "bucardo_version",
  "bucardo_initial_version",
  "bucardo_current_version",
  "piddir",
  "reason_file",
  "stopfile",
  "pidfile",
  "log_level",
]);

/** Settings that somebody changed. Those without meaning here are kept, so that `show` still has them. Pure. */
export function planSettings(old: PerlInstallation, notes: ImportNote[]): ImportStep[] {
  const steps: ImportStep[] = [];
  for (const row of old.settings) {
    const name = text(row, old.version === 5 ? "name" : "setting")?.toLowerCase() ?? "";
    const value = text(row, old.version === 5 ? "setting" : "value") ?? "";
    const isDefault = old.version === 5 ? value === (text(row, "defval") ?? "") : false;
    if (isDefault || OWN.has(name) || value === "") continue;
    const item = text(row, "item");
    if (item !== null && item !== "") {
      notes.push({
        what: `setting ${name} of ${text(row, "type")} ${item} is not carried`,
        remedy: "It had no effect there either; settings count for all.",
      });
    } else if (/pass/.test(name)) {
      notes.push({ what: `setting ${name} is not carried`, remedy: "Passwords are not kept in settings." });
    } else if (isSettingName(name) || legacySettings.includes(name)) {
      steps.push({ name: ["set"], words: [`${name}=${value}`], keys: {} });
    } else notes.push({ what: `setting ${name} (${value}) is not known here`, remedy: "It is left out." });
  }
  return steps;
}
