/** What a table held on the source when it was looked at as a whole. The target held the same, but for rows that were on their way. */
export type TablePrint = {
  readonly rows: number;
  readonly hash: string;
  /** Rows that differed in that look, as somebody was changing them: each was compared by its key afterwards. */
  readonly onTheWay: number;
};

/**
 * The hash of a table is the sum of the 64-bit hashes of its rows, so that their order plays no part and parts of a table can be added up: 16 hexadecimal
 * digits. `sums`: integers as text. Pure.
 */
export function hashOfSums(sums: Iterable<string>): string {
  let all = 0n;
  for (const sum of sums) all += BigInt(sum);
  return BigInt.asUintN(64, all).toString(16).padStart(16, "0");
}

/** A hash as a signed number of 64 bits, as servers have them. Pure. */
export function numberOfHash(hash: string): string {
  return BigInt.asIntN(64, BigInt(`0x${hash}`)).toString();
}
