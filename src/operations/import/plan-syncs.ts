import type { PerlInstallation, PerlRow } from "../../model/perl.ts";
import { flag, text, type ImportNote, type ImportStep } from "./step.ts";

/**
 * Syncs are made inactive: they capture from that moment on and do not run, so that the Perl program can be drained and stopped before they begin. Pure.
 */
export function planSyncs(old: PerlInstallation, known: ReadonlySet<string | null>, notes: ImportNote[]): ImportStep[] {
  return old.syncs.flatMap((sync) => {
    const name = text(sync, "name")!;
    const keys = old.version === 5 ? membersOfFive(sync) : membersOfFour(old, sync, known, notes);
    if (keys === null) return [];
    if (text(sync, "status") === "inactive")
      notes.push({ what: `sync ${name} was inactive`, remedy: "Like all, it is inactive here; activate it only if you want it." });
    const once = Number(sync["onetimecopy"] ?? 0);
    if (once !== 0)
      notes.push({
        what: `onetimecopy=${once} of sync ${name} is not carried`,
        remedy: `After the take-over: update sync ${name} onetimecopy=${once}`,
      });
    return [{ name: ["add", "sync"], words: [name], keys: { ...keys, ...policies(old, sync), status: "inactive" } }];
  });
}

function membersOfFive(sync: PerlRow): Record<string, string> | null {
  const [relgroup, dbgroup] = [text(sync, "herd"), text(sync, "dbs")];
  return relgroup === null || dbgroup === null ? null : { relgroup, dbgroup };
}

/** Version 4 has one source, which is that of the herd's tables, and types instead of roles. */
function membersOfFour(
  old: PerlInstallation,
  sync: PerlRow,
  known: ReadonlySet<string | null>,
  notes: ImportNote[],
): Record<string, string> | null {
  const [name, herd] = [text(sync, "name")!, text(sync, "source")];
  const goatOf = (row: PerlRow) => old.goats.find((goat) => goat["id"] === row["goat"]);
  const first = old.herdmap.filter((row) => text(row, "herd") === herd).map(goatOf)[0];
  const source = first === undefined ? null : text(first, "db");
  const group = text(sync, "targetgroup");
  const targets = [
    ...[text(sync, "targetdb")].filter((db) => db !== null && db !== ""),
    ...old.dbmap.filter((row) => group !== null && text(row, "dbgroup") === group).map((row) => text(row, "db")),
  ].filter((db): db is string => db !== source && known.has(db));
  if (herd === null || source === null || targets.length === 0) {
    notes.push({ what: `sync ${name} has no tables, or no target that is carried over`, remedy: "It is left out." });
    return null;
  }
  const role = { pushdelta: "target", fullcopy: "fullcopy", swap: "source" }[text(sync, "synctype") ?? "pushdelta"] ?? "target";
  return { relgroup: herd, dbs: [`${source}:source`, ...targets.map((db) => `${db}:${role}`)].join(",") };
}

const SAME = ["deletemethod", "copyextra", "isolation_level", "conflict_strategy"] as const;
const PERIODS = ["checktime", "lifetime", "overdue", "expired"] as const;
const NUMBERS = ["maxkicks", "rebuild_index", "priority"] as const;
const SWITCHES = ["analyze_after_copy", "vacuum_after_copy", "track_rates", "stayalive", "kidsalive"] as const;
/** What `add sync` takes for granted. */
const USUAL: Readonly<Record<string, string>> = {
  deletemethod: "delete",
  conflict_strategy: "bucardo_latest",
  analyze_after_copy: "true",
  vacuum_after_copy: "false",
  track_rates: "false",
  stayalive: "true",
  kidsalive: "true",
};

function policies(old: PerlInstallation, sync: PerlRow): Record<string, string> {
  const keys: Record<string, string> = {};
  const kick = flag(sync, old.version === 5 ? "autokick" : "ping");
  if (kick !== null) keys["autokick"] = kick ? "on" : "off";
  if (flag(sync, "strict_checking") === false) keys["strict_checking"] = "off";
  for (const name of PERIODS) {
    const period = seconds(text(sync, name) ?? "");
    if (period > 0) keys[name] = `${period} seconds`;
  }
  for (const name of [...SAME, ...SWITCHES]) {
    const value = text(sync, name);
    if (value !== null && value !== "" && value !== USUAL[name]) keys[name] = value;
  }
  for (const name of NUMBERS) if (Number(sync[name] ?? 0) !== 0) keys[name] = String(sync[name]);
  return keys;
}

/** `1 day 02:00:00`, as JSON has intervals; 0 when it is none. */
function seconds(interval: string): number {
  const [, days = "0", hours = "0", minutes = "0", rest = "0"] = /^(?:(\d+) days? ?)?(?:(\d+):(\d+):([\d.]+))?$/.exec(interval) ?? [];
  return Number(days) * 86_400 + Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
}
