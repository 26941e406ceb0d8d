/**
 * A move to another major version, before anything is done: `checkVersions(session, targetVersion)` names everything of the source that the target cannot
 * hold (error), and what is left out because it changes neither rows nor results (warning). One query.
 */
import type { Problem } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { leftBehind, type SchemaPatterns } from "./filter.ts";
import { placeMatcher } from "./object-pattern.ts";
import { features, type Feature } from "./features.ts";

type Found = { readonly feature: number; readonly places: string[] };

export type WithoutThese = {
  /** Relations that come; what is in the others does not count. */
  readonly patterns?: SchemaPatterns | undefined;
  /** Objects that are left out by choice, as of `restoreStage`. */
  readonly skip?: readonly string[] | undefined;
};

/** Problems of all features that the source has and the target has not (yet, or any more). */
export async function checkVersions(session: Session, targetVersion: number, without: WithoutThese = {}): Promise<Problem[]> {
  const relevant = features.filter((feature) => differs(feature, session.serverVersion, targetVersion));
  if (relevant.length === 0) return [];
  const behind = await leftBehind(session, without.patterns ?? { only: [], skip: [] });
  const found = await session.query<Found>(statementOf(relevant, [...behind]));
  const isSkipped = placeMatcher(without.skip ?? []);
  return found.flatMap(({ feature, places }) => {
    const left = places.filter((place) => !isSkipped(place));
    return left.length === 0 ? [] : [toProblem(relevant[feature]!, left, session.name, targetVersion)];
  });
}

/** Asks only what the source can have and the target cannot; a catalogue column of a later version must not be named. */
function differs({ since, until = Number.POSITIVE_INFINITY, readable = since }: Feature, source: number, target: number): boolean {
  const targetLacks = target < since || target >= until;
  return targetLacks && source >= readable && source < until;
}

function statementOf(relevant: readonly Feature[], behind: readonly number[]) {
  const parts = relevant.map(
    ({ find }, index) => `select ${index} as feature, array_agg(f.place order by f.place) as places from (${find}) f (place)`,
  );
  const text = `with gone (oid) as (select o from pg_catalog.unnest($1::oid[]) o)
    select * from (${parts.join("\nunion all\n")}) a where a.places is not null order by a.feature`;
  return sql("schema.features", text, [behind]);
}

function toProblem(
  { what, grade = "error", remedy, since, until }: Feature,
  places: readonly string[],
  db: string,
  target: number,
): Problem {
  const version = (number: number) => (number >= 100000 ? Math.floor(number / 10_000) : number);
  const bounds =
    target < since ? `PostgreSQL ${version(since)} and newer have it` : `PostgreSQL ${version(until ?? 0)} and newer have it no more`;
  const which = places.length === 1 ? places[0]! : `${places[0]!} and ${places.length - 1} more`;
  return { grade, db, what: `${what}: ${which}; ${bounds}, the other side is ${version(target)}`, remedy };
}
