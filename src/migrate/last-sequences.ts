import { chunks } from "../base/chunks.ts";
import { readSequences, type SequenceShape } from "../catalog/sequence.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { quoteLiteral, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** A chain of thousands of selects would take the server long to plan, or be refused. */
const READ_AT_ONCE = 200;

type Bounds = Pick<SequenceShape, "increment" | "min" | "max" | "cycle">;

export type LastSequences = {
  /** Brings all sequences of the target to where the source's are, plus the gap; returns how many there are. */
  carry(): Promise<number>;
};

/**
 * Sequences for the last time. Attributes were carried by runs before; here only positions cross, in two round trips for each two hundred. nextval is not
 * fenced, so each that was ever used is advanced by `gap` values: one handed out on the old side after this look is not handed out again.
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
        const rows = await source.query<{ value: string; called: boolean }>(sql("migrate.last-sequences", text));
        const calls = some.map((name, index) => {
          const { value, called } = rows[index]!;
          const shape = shapes.get(displayName(name));
          const last = called && shape !== undefined ? advance(value, gap, shape) : value;
          return `setval(${quoteLiteral(quoteName(name))}::regclass, ${last}, ${called})`;
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

/** `gap` values further; where so many are not left, not at all: the sequence must go on as it would have. */
export function advance(value: string, gap: number, { increment, min, max }: Omit<Bounds, "cycle">): string {
  const next = BigInt(value) + BigInt(gap) * BigInt(increment);
  return next > BigInt(max) || next < BigInt(min) ? value : String(next);
}
