import { chunks } from "../base/chunks.ts";
import { readSequences, type SequenceShape } from "../catalog/sequence.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { quoteLiteral, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** A chain of thousands of selects would take the server long to plan, or be refused. */
const READ_AT_ONCE = 200;

type Position = { readonly value: string; readonly called: boolean };

export type LastSequences = {
  /** Brings all sequences of the target to where the source's are, plus the gap; returns how many there are. */
  carry(): Promise<number>;
};

/**
 * Sequences for the last time. Attributes were carried by runs before; here only positions cross, in two round trips for each two hundred. nextval is not
 * fenced, so each that was ever used is advanced by `gap` values: one handed out on the old side after this look is not handed out again. Nor one that
 * somebody drew on the new side, who looks at both while the switch goes on: to be called once shortly before the window too, and it never goes back.
 */
export async function prepareLastSequences(
  source: Session,
  target: Session,
  names: readonly QualifiedName[],
  gap: number,
): Promise<LastSequences> {
  const shapes = await readSequences(source, names);
  const parts = [...chunks(names, READ_AT_ONCE)].map((some) => ({ some, text: positionsText(some) }));
  return {
    async carry() {
      for (const { some, text } of parts) {
        const read = (session: Session) => session.query<Position>(sql("migrate.last-sequences", text));
        const [here, there] = await Promise.all([read(source), read(target)]);
        const calls = some.map((name, index) => {
          const shape = shapes.get(displayName(name));
          const { value, called } = shape === undefined ? here[index]! : advance(here[index]!, there[index]!, gap, shape);
          return `setval(${quoteLiteral(quoteName(name))}::regclass, ${value}, ${called})`;
        });
        await target.execute(sql("migrate.set-sequences", `select ${calls.join(", ")}`));
      }
      return names.length;
    },
  };
}

function positionsText(names: readonly QualifiedName[]): string {
  const parts = names.map((name, n) => `select ${n} as n, last_value::text as value, is_called as called from ${quoteName(name)}`);
  return `select value, called from (${parts.join(" union all ")}) s order by n`;
}

/**
 * `gap` values beyond the old side's, or where the new side is already, whichever is further; where so many values are not left, no gap: the sequence must go
 * on as it would have. A cycling one may be anywhere: there the old side's word counts.
 */
export function advance(
  here: Position,
  there: Position,
  gap: number,
  { increment, min, max, cycle }: Pick<SequenceShape, "increment" | "min" | "max" | "cycle">,
): Position {
  if (!here.called) return there.called && !cycle ? there : here;
  const wanted = BigInt(here.value) + BigInt(gap) * BigInt(increment);
  const next = wanted > BigInt(max) || wanted < BigInt(min) ? BigInt(here.value) : wanted;
  const ahead = there.called && !cycle && (BigInt(increment) > 0n ? BigInt(there.value) > next : BigInt(there.value) < next);
  return ahead ? there : { value: String(next), called: true };
}
