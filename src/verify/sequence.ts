import { chunks } from "../base/chunks.ts";
import { sleep } from "../base/sleep.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** Values are texts of bigints; `called` is false when the value itself comes next. */
export type SequencePosition = { readonly value: string; readonly called: boolean };

export type SequenceEquality = {
  readonly sequence: string;
  readonly equal: boolean;
  readonly source: SequencePosition;
  readonly target: SequencePosition;
};

/** One sequence as each side calls it. */
export type SequencePair = { readonly source: QualifiedName; readonly target: QualifiedName };

const PAUSE_MS = 200;

/** Where the sequences stand on both sides. Those that differ are looked at again for `patienceMs`, as nextval goes on beside every transaction. */
export async function compareSequenceValues(
  source: Session,
  target: Session,
  pairs: readonly SequencePair[],
  patienceMs: number,
  signal?: AbortSignal,
): Promise<SequenceEquality[]> {
  const end = performance.now() + patienceMs;
  const done = new Map<string, SequenceEquality>();
  for (let open = pairs; open.length > 0;) {
    for (const seen of await look(source, target, open)) done.set(seen.sequence, seen);
    open = open.filter((pair) => !done.get(displayName(pair.source))!.equal);
    if (open.length === 0 || performance.now() >= end) break;
    await sleep(PAUSE_MS, signal);
  }
  return pairs.map((pair) => done.get(displayName(pair.source))!);
}

async function look(source: Session, target: Session, pairs: readonly SequencePair[]): Promise<SequenceEquality[]> {
  // The source first: a run between the two looks then makes them equal, not different.
  const here = await readPositions(
    source,
    pairs.map((pair) => pair.source),
  );
  const there = await readPositions(
    target,
    pairs.map((pair) => pair.target),
  );
  return pairs.map((pair, index) => {
    const [one, other] = [here[index]!, there[index]!];
    return {
      sequence: displayName(pair.source),
      equal: one.value === other.value && one.called === other.called,
      source: one,
      target: other,
    };
  });
}

/** Sequences read in one statement; each takes a lock until it ends. */
const AT_ONCE = 200;

async function readPositions(session: Session, names: readonly QualifiedName[]): Promise<SequencePosition[]> {
  const positions: SequencePosition[] = [];
  for (const some of chunks(names, AT_ONCE)) {
    const parts = some.map((name, n) => `select ${n} as n, last_value::text as value, is_called as called from ${quoteName(name)}`);
    const rows = await session.query<SequencePosition & { n: number }>(
      sql("verify.sequence", `select * from (${parts.join(" union all ")}) as s order by n`),
    );
    positions.push(...rows.map(({ value, called }) => ({ value, called })));
  }
  return positions;
}
