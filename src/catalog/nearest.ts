/** The candidate that was probably meant by `name`, or null when none is near. Case counts for nothing. */
export function nearest(name: string, candidates: Iterable<string>): string | null {
  const word = name.toLowerCase();
  let best: string | null = null;
  // A third of the letters may be wrong, at least one: more than that is another word.
  let allowed = Math.max(1, Math.floor(word.length / 3));
  for (const candidate of candidates) {
    const edits = distance(word, candidate.toLowerCase(), allowed);
    if (edits > allowed || (best !== null && edits === allowed)) continue;
    best = candidate;
    allowed = edits;
    if (edits === 0) break;
  }
  return best;
}

/** Inserted, deleted, replaced letters and swapped neighbours that turn one into the other; anything above `limit` is only known to be so. */
function distance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(
        Math.min(
          last[column]! + 1,
          current[column - 1]! + 1,
          last[column - 1]! + (same ? 0 : 1),
          swapped ? beforeLast[column - 2]! + 1 : Infinity,
        ),
      );
    }
    if (Math.min(...current) > limit) return limit + 1;
    beforeLast = last;
    last = current;
  }
  return last[to.length]!;
}
