import { readSequences, type SequenceShape } from "../catalog/sequence.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** Text of a bigint; null: never used. */
type Last = string | null;

export type LastSequences = {
  /** Brings all sequences of the target to where the source's are, plus the gap; returns how many there are. */
  carry(): Promise<number>;
};

/**
 * Sequences for the last time. Attributes were carried by runs before; here only positions cross, in two round trips. nextval is not fenced, so each that was
 * ever used is advanced by `gap` values: one handed out on the old side after this look is not handed out again. Nor one that somebody drew on the new side,
 * who looks at both while the switch goes on: to be called once shortly before the window too, and it never goes back.
 */
export async function prepareLastSequences(
  source: Session,
  target: Session,
  names: readonly QualifiedName[],
  gap: number,
): Promise<LastSequences> {
  const [here, there] = await Promise.all([readSequences(source, names), readSequences(target, names)]);
  const pairs = names.map(displayName).flatMap((name) => {
    const [from, to] = [here.get(name), there.get(name)];
    return from === undefined || to === undefined ? [] : [{ from, to }];
  });
  return {
    async carry() {
      const [sources, targets] = await Promise.all([
        readLast(
          source,
          pairs.map(({ from }) => from.oid),
        ),
        readLast(
          target,
          pairs.map(({ to }) => to.oid),
        ),
      ]);
      const moves = pairs.flatMap(({ from, to }, index) => {
        const last = advance(sources[index]!, targets[index]!, gap, from);
        return last === null || last === targets[index] ? [] : [{ oid: to.oid, last }];
      });
      await target.query(
        sql(
          "migrate.set-sequences",
          "select count(setval(s.oid::regclass, s.last, true)) from unnest($1::oid[], $2::int8[]) s (oid, last)",
          [moves.map(({ oid }) => oid), moves.map(({ last }) => last)],
        ),
      );
      return pairs.length;
    },
  };
}

async function readLast(session: Session, sequences: readonly number[]): Promise<Last[]> {
  const rows = await session.query<{ last: Last }>(
    sql(
      "migrate.last-sequences",
      "select pg_sequence_last_value(s.oid)::text as last from unnest($1::oid[]) with ordinality s (oid, n) order by s.n",
      [sequences],
    ),
  );
  return rows.map(({ last }) => last);
}

/**
 * `gap` values beyond the old side's, or where the new side is already, whichever is further; where so many values are not left, no gap: the sequence must go
 * on as it would have. A cycling one may be anywhere: there the old side's word counts. Null: neither was ever used.
 */
export function advance(
  here: Last,
  there: Last,
  gap: number,
  { increment, min, max, cycle }: Pick<SequenceShape, "increment" | "min" | "max" | "cycle">,
): Last {
  if (here === null) return there;
  const wanted = BigInt(here) + BigInt(gap) * BigInt(increment);
  const next = wanted > BigInt(max) || wanted < BigInt(min) ? BigInt(here) : wanted;
  const ahead = there !== null && !cycle && (BigInt(increment) > 0n ? BigInt(there) > next : BigInt(there) < next);
  return ahead ? there : String(next);
}
