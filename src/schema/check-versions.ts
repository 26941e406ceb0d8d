/**
 * A move to another major version, before anything is done: `checkVersions(session, targetVersion)` names everything of the source that the target cannot
 * hold (error), and what is left out because it changes neither rows nor results (warning). One query.
 */
import type { Problem } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { features, type Feature } from "./features.ts";

type Found = { readonly feature: number; readonly count: number; readonly example: string };

/** Problems of all features that the source has and the target has not (yet, or any more). */
export async function checkVersions(session: Session, targetVersion: number): Promise<Problem[]> {
  const relevant = features.filter((feature) => differs(feature, session.serverVersion, targetVersion));
  if (relevant.length === 0) return [];
  const found = await session.query<Found>(statementOf(relevant));
  return found.map(({ feature, count, example }) => toProblem(relevant[feature]!, count, example, session.name, targetVersion));
}

/** Asks only what the source can have and the target cannot; a catalogue column of a later version must not be named. */
function differs({ since, until = Number.POSITIVE_INFINITY, readable = since }: Feature, source: number, target: number): boolean {
  const targetLacks = target < since || target >= until;
  return targetLacks && source >= readable && source < until;
}

function statementOf(relevant: readonly Feature[]) {
  const parts = relevant.map(
    ({ find }, index) => `select ${index} as feature, count(*) as count, min(f.example) as example from (${find}) f (example)`,
  );
  return sql("schema.features", `select * from (${parts.join("\nunion all\n")}) a where a.count > 0 order by a.feature`);
}

function toProblem(
  { what, grade = "error", remedy, since, until }: Feature,
  count: number,
  example: string,
  db: string,
  target: number,
): Problem {
  const version = (number: number) => (number >= 100000 ? Math.floor(number / 10_000) : number);
  const bounds =
    target < since ? `PostgreSQL ${version(since)} and newer have it` : `PostgreSQL ${version(until ?? 0)} and newer have it no more`;
  const which = count === 1 ? example : `${example} and ${count - 1} more`;
  return { grade, db, what: `${what}: ${which}; ${bounds}, the other side is ${version(target)}`, remedy };
}
