import type { PerlInstallation, PerlRow } from "../../model/perl.ts";
import { planSettings } from "./plan-settings.ts";
import { planSyncs } from "./plan-syncs.ts";
import { flag, text, type ImportNote, type ImportPlan, type ImportStep } from "./step.ts";

/**
 * What the commands of this program are that make the same of an installation of the Perl program, in an order in which they can be executed, and what
 * cannot be carried. Pure.
 */
export function planImport(old: PerlInstallation): ImportPlan {
  const notes: ImportNote[] = [];
  const databases = old.databases.filter((row) => isPostgres(row, notes));
  const known = new Set(databases.map((row) => text(row, "name")));
  const names = planNames(old, notes);
  const steps = [
    ...planSettings(old, notes),
    ...databases.map(planDatabase),
    ...planGroups(old, known, notes),
    ...planRelations(old, known, notes),
    ...names.before,
    ...planSyncs(old, known, notes),
    ...names.after,
  ];
  notes.push(...codeNotes(old));
  return { steps, notes };
}

function isPostgres(row: PerlRow, notes: ImportNote[]): boolean {
  const type = text(row, "dbtype") ?? "postgres";
  if (type === "postgres") return true;
  notes.push({
    what: `database ${text(row, "name")} is of type ${type}`,
    remedy: type.startsWith("flat")
      ? `\`bucardo add db ${text(row, "name")} type=${type} dir=DIRECTORY\` adds it, with a directory of its own (docs/files.md).`
      : "Only PostgreSQL is replicated; changes for other kinds can be written as files (docs/files.md), or handed on by custom code (docs/custom-code.md).",
  });
  return false;
}

function planDatabase(row: PerlRow): ImportStep {
  const keys: Record<string, string> = {};
  const columns = {
    dbname: "dbname",
    host: "dbhost",
    port: "dbport",
    user: "dbuser",
    pass: "dbpass",
    conn: "dbconn",
    service: "dbservice",
    pgpass: "pgpass",
  };
  for (const [key, column] of Object.entries(columns)) {
    const value = text(row, column);
    if (value !== null && value !== "") keys[key] = key === "conn" ? libpqWords(value) : value;
  }
  // `stalled` was a state of the daemon's, and no wish of anybody.
  if (text(row, "status") === "inactive") keys["status"] = "inactive";
  return { name: ["add", "db"], words: [text(row, "name")!], keys, secrets: ["pass"] };
}

/** Driver words are separated by semicolons there. */
function libpqWords(value: string): string {
  return value
    .split(";")
    .map((word) => word.trim())
    .filter((word) => word !== "")
    .join(" ");
}

function planGroups(old: PerlInstallation, known: ReadonlySet<string | null>, notes: ImportNote[]): ImportStep[] {
  // Groups of version 4 have no roles: its syncs say who is what.
  if (old.version === 4) return [];
  return old.dbgroups.map((group) => {
    const name = text(group, "name")!;
    const members = old.dbmap.filter((row) => text(row, "dbgroup") === name);
    for (const { db } of members.map((row) => ({ db: text(row, "db") })))
      if (!known.has(db)) notes.push({ what: `${db} is left out of dbgroup ${name}`, remedy: "It is no database that is carried over." });
    const words = members
      .filter((row) => known.has(text(row, "db")))
      .map(
        (row) =>
          `${text(row, "db")}:${text(row, "role") ?? "target"}${Number(row["priority"] ?? 0) === 0 ? "" : `:pri=${Number(row["priority"])}`}`,
      );
    return { name: ["add", "dbgroup"], words: [name, ...words], keys: {} };
  });
}

function planRelations(old: PerlInstallation, known: ReadonlySet<string | null>, notes: ImportNote[]): ImportStep[] {
  const steps: ImportStep[] = [];
  for (const goat of old.goats) {
    const [db, kind] = [text(goat, "db"), text(goat, "reltype") === "sequence" ? "sequence" : "table"];
    if (!known.has(db)) continue;
    const keys: Record<string, string> = { db: db! };
    const kick = flag(goat, old.version === 5 ? "autokick" : "ping");
    if (kick !== null) keys["autokick"] = kick ? "on" : "off";
    if (flag(goat, "strict_checking") === false) keys["strict_checking"] = "off";
    const conflict = old.version === 4 ? text(goat, "standard_conflict") : null;
    if (conflict !== null && kind === "table") keys["conflict_strategy"] = `bucardo_${conflict}`;
    else if (conflict !== null)
      notes.push({
        what: `standard_conflict=${conflict} of ${relationName(goat)} is not carried`,
        remedy: "update sync SYNC sequence_conflict=highest|lowest",
      });
    if (flag(goat, "ghost") === true) keys["ghost"] = "on";
    // On is what the sync may have as well as not.
    for (const name of ["analyze_after_copy", "vacuum_after_copy"]) if (flag(goat, name) === false) keys[name] = "off";
    steps.push({ name: ["add", kind], words: [relationName(goat)], keys });
    const makedelta = text(goat, "makedelta");
    if (makedelta !== null && makedelta !== "")
      notes.push({ what: `makedelta of ${relationName(goat)} is not carried`, remedy: "Changes are handed on by themselves here." });
  }
  for (const herd of old.herds) {
    const name = text(herd, "name")!;
    const members = old.herdmap
      .filter((row) => text(row, "herd") === name)
      .toSorted((one, other) => Number(other["priority"] ?? 0) - Number(one["priority"] ?? 0));
    const goats = members.flatMap((row) => old.goats.filter((goat) => goat["id"] === row["goat"]));
    const db = goats.length === 0 ? null : text(goats[0]!, "db");
    if (db !== null && !known.has(db)) continue;
    steps.push({ name: ["add", "relgroup"], words: [name, ...goats.map(relationName)], keys: db === null ? {} : { db } });
    const priorities = members.filter((row) => Number(row["priority"] ?? 0) !== 0).length;
    if (priorities > 0)
      notes.push({ what: `the order of tables in relgroup ${name} is not carried`, remedy: "All tables of a sync arrive together here." });
  }
  return steps;
}

/** `schema.table`, as the commands take it. */
export function relationName(goat: PerlRow): string {
  return `${text(goat, "schemaname")}.${text(goat, "tablename")}`;
}

/**
 * Other names and columns stand before the syncs, whose checks need them. One that is meant for one sync of several comes behind it, as it cannot be told
 * without it.
 */
function planNames(old: PerlInstallation, notes: ImportNote[]): { before: ImportStep[]; after: ImportStep[] } {
  const [before, after]: [ImportStep[], ImportStep[]] = [[], []];
  const all = [
    ...old.customnames.map((row) => ({ row, noun: "customname", value: text(row, "newname") })),
    ...old.customcols.map((row) => ({ row, noun: "customcols", value: text(row, "clause") })),
  ];
  for (const { row, noun, value } of all) {
    const goat = old.goats.find((each) => each["id"] === row["goat"]);
    if (goat === undefined || value === null || value === "") continue;
    const [db, sync] = [text(row, "db") ?? "", text(row, "sync") ?? ""];
    const others = syncsOf(old, goat).filter((name) => name !== sync);
    const keys = { ...(db !== "" && { db }), ...(sync !== "" && others.length > 0 && { sync }) };
    (keys.sync === undefined ? before : after).push({ name: ["add", noun], words: [relationName(goat), value], keys });
  }
  for (const goat of old.goats) {
    const select = text(goat, "customselect");
    if (select !== null && select !== "")
      notes.push({
        what: `customselect of ${relationName(goat)} is not carried`,
        remedy: `add customcols or add rowfilter says the same of: ${select}`,
      });
  }
  return { before, after };
}

function syncsOf(old: PerlInstallation, goat: PerlRow): string[] {
  const herds = new Set(old.herdmap.filter((row) => row["goat"] === goat["id"]).map((row) => text(row, "herd")));
  const column = old.version === 5 ? "herd" : "source";
  return old.syncs.filter((sync) => herds.has(text(sync, column))).map((sync) => text(sync, "name") ?? "");
}

/** Perl is not run here: what it did has to be written again. */
function codeNotes(old: PerlInstallation): ImportNote[] {
  return old.customcodes.map((code) => {
    const uses = old.customcodeMap
      .filter((row) => row["code"] === code["id"])
      .map((row) => {
        const goat = old.goats.find((each) => each["id"] === row["goat"]);
        return goat === undefined ? `sync ${text(row, "sync")}` : `table ${relationName(goat)}`;
      });
    return {
      what: `custom code ${text(code, "name")} (${text(code, "whenrun")}, ${uses.join(", ") || "attached to nothing"}) is Perl and is not carried`,
      remedy:
        `Read it with: select src_code from bucardo.customcode where name = '${text(code, "name")?.replaceAll("'", "''")}'. ` +
        `Write it in JavaScript, TypeScript or SQL (docs/custom-code.md), then add customcode ${text(code, "name")} whenrun=${text(code, "whenrun")} src_code=FILE.`,
    };
  });
}
