/** Verbs of versions 4 and 5 with the misspellings they forgave. */
const VERBS: readonly (readonly [string, RegExp])[] = [
  ["list", /^(l|lsit|liast|lisy|lit|ls)$/],
  ["start", /^strt$/],
  ["remove", /^(delete|del|rm|drop)$/],
  ["update", /^(upd|udpate|change|modify)$/],
  ["upgrade", /^(upgr\w*|uprgade|ugprade)$/],
  ["message", /^(msg)$/],
  ["delta", /^deltas$/],
  ["validate", /^vali\w*$/],
  ["uninstall", /^(uninst\w*|deinstall)$/],
  ["install", /^\w*instal\w*$/],
];

const NOUNS: readonly (readonly [string, RegExp])[] = [
  ["customcode", /^(customcodes?|code|ccode|custom_codes?)$/],
  ["customname", /^(customnames?|cname)$/],
  ["customcols", /^(customcols?|ccols?)$/],
  ["rowfilter", /^(row_?filters?|row-filters?|filters?)$/],
  ["dbgroup", /^(dbg\w*|d\w+_?groups?|targetgroups?)$/],
  ["db", /^(db|dbs|databases?)$/],
  ["relgroup", /^(relgr\w*|relationgroups?|herds?)$/],
  ["sync", /^(sync|synk|syncs|syncronizations?)$/],
  ["table", /^(tab|tabs|table|tables|tbale)$/],
  ["conflict", /^conflicts$/],
  ["set-aside", /^set[-_]?aside$/],
  ["sequence", /^seq\w*$/],
  ["config", /^(config|configs|setting|settings)$/],
  ["clone", /^clones?$/],
  ["customtrigger", /^(custom_?)?triggers?$/],
  ["largeobject", /^(large_?objects?|lobs?)$/],
  ["all", /^all$/],
];

function canonical(table: readonly (readonly [string, RegExp])[], word: string): string {
  const lower = word.toLowerCase();
  return table.find(([name, pattern]) => name === lower || pattern.test(lower))?.[0] ?? lower;
}

/** The verb a word stands for; itself in lower case when it is no synonym. */
export function canonicalVerb(word: string): string {
  return canonical(VERBS, word);
}

/** The noun a word stands for, in the singular; itself in lower case when it is none. */
export function canonicalNoun(word: string): string {
  return canonical(NOUNS, word);
}

/** Nouns of version 5 that this version has no operations for, with what to say. */
export const NOUNS_NOT_OFFERED: Readonly<Record<string, string>> = {
  customtrigger:
    "Triggers of your own for deltas or kicks are not offered; take custom code at the points of a run, or a trigger of your own on the target.",
  largeobject: "Large objects are not replicated by a sync; `migrate` carries them.",
  slony: "`slony_migrator` is not offered; `migrate` moves a database out of a Slony set as out of any other.",
  clone:
    "`clone` did nothing in older versions and is not offered. Make the tables on the new database (`pg_dump --schema-only -N bucardo | psql`), " +
    "`bucardo add db NEW ...`, and name it with the others in `bucardo update sync SYNC dbs=...,NEW:target`: its rows are copied by themselves.",
};

/** Keys of older versions that would promise what is not so, with what to do instead. */
export const KEYS_NOT_OFFERED: Readonly<Record<string, string>> = {
  delta_bypass: "It is not needed: a run streams its rows; onetimecopy=1 copies whole tables again.",
  autosync_ddl: "Change both sides: a run notices, waits where it must, and goes on by itself.",
};
