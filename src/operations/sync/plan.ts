import type { Candidate } from "../../catalog/find.ts";
import { matchRelations } from "../../catalog/find.ts";
import type { Dbgroup } from "../../control/dbgroup.ts";
import type { Relgroup } from "../../control/relgroup.ts";
import { displayName } from "../../model/name.ts";
import type { Database, DbgroupMember, Role } from "../../model/sync.ts";
import { readMemberWords } from "../dbgroup/member.ts";
import type { Report } from "../report.ts";

/** What is registered, for the pure steps of `add sync`. */
export type Registered = {
  readonly databases: readonly Database[];
  readonly dbgroups: readonly Dbgroup[];
  readonly relgroups: readonly Relgroup[];
};

/** A group of the new sync: an existing one, or one to be made. */
export type GroupPlan<Member> = { readonly name: string; readonly create: boolean; readonly members: readonly Member[] };

/** `A:source,B:target:pri=2`; without roles the first is the source and the others are targets, or what `others` says. */
export function readMembers(
  words: readonly string[],
  databases: readonly Database[],
  wrong: Report,
  others: Role = "target",
): DbgroupMember[] {
  return readMemberWords(words, databases, wrong).map(({ db, role, priority }, index) => ({
    db,
    role: role ?? (index === 0 ? "source" : others),
    priority,
  }));
}

/** The group that has exactly these members and roles, else a new one with the sync's name (or name_2, ...). */
export function planDbgroup(
  syncName: string,
  wantedName: string | null,
  members: readonly DbgroupMember[],
  groups: readonly Dbgroup[],
): GroupPlan<DbgroupMember> {
  const text = (list: readonly DbgroupMember[]): string =>
    JSON.stringify(list.map(({ db, role }) => [db, role]).toSorted((one, other) => String(one).localeCompare(String(other))));
  const identical = wantedName === null ? groups.find((group) => text(group.members) === text(members)) : undefined;
  if (identical !== undefined) return { name: identical.name, create: false, members: identical.members };
  return {
    name: freeName(
      wantedName ?? syncName,
      groups.map((group) => group.name),
    ),
    create: true,
    members,
  };
}

/** The relgroup of this database with exactly these relations, else a new one. */
export function planRelgroup(
  syncName: string,
  wantedName: string | null,
  db: string,
  relations: readonly Candidate[],
  groups: readonly Relgroup[],
): GroupPlan<Candidate> {
  const names = relations.map(displayName).toSorted().join("\n");
  const identical =
    wantedName === null
      ? groups.find(
          (group) =>
            group.members.every((member) => member.db === db) &&
            group.members.map(displayName).toSorted().join("\n") === names &&
            names !== "",
        )
      : undefined;
  if (identical !== undefined) return { name: identical.name, create: false, members: relations };
  return {
    name: freeName(
      wantedName ?? syncName,
      groups.map((group) => group.name),
    ),
    create: true,
    members: relations,
  };
}

/**
 * The relations that words mean: `all` is every table with a key; a name without schema means the one in public if there is
 * one (`preferPublic`, version 4), else all of that name.
 */
export function readTableWords(
  words: readonly string[],
  candidates: readonly Candidate[],
  preferPublic: boolean,
  wrong: Report,
): Candidate[] {
  const chosen = new Set<Candidate>();
  for (const word of words) {
    const all = word.toLowerCase() === "all";
    const { found, unmatched } = all
      ? matchRelations(candidates, ["*"], { kind: "table", pkonly: true })
      : matchRelations(candidates, [word]);
    const inPublic = found.filter((candidate) => candidate.schema === "public");
    const exact = preferPublic && !all && !/[*%.]/.test(word) && inPublic.length > 0;
    for (const candidate of exact ? inPublic : found) chosen.add(candidate);
    if (all && found.length === 0) wrong("there is no table with a PRIMARY KEY or unique index", "Name the tables.");
    for (const { pattern, nearest } of unmatched)
      wrong(`Could not find a relation named "${pattern}"`, nearest === null ? "" : `Did you mean ${nearest}?`);
  }
  return candidates.filter((candidate) => chosen.has(candidate));
}

function freeName(wanted: string, taken: readonly string[]): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wanted : `${wanted}_${number}`;
    if (!taken.includes(name)) return name;
  }
}
