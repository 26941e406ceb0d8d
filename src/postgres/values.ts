import pg from "pg";
import { invariant } from "../base/invariant.ts";

type Parse = (text: string) => unknown;

const oid = {
  bool: 16,
  int8: 20,
  int2: 21,
  int4: 23,
  oid: 26,
  json: 114,
  float4: 700,
  float8: 701,
  timestamptz: 1184,
  jsonb: 3802,
} as const;
const arrayOid = { bool: 1000, name: 1003, int2: 1005, int4: 1007, text: 1009, varchar: 1015, int8: 1016, oid: 1028 } as const;

/** A bigint as a number; beyond 2^53 it is a mistake of ours to ask for a number. */
function integer(text: string): number {
  const value = Number(text);
  invariant(Number.isSafeInteger(value), `${text} is not a safe integer`);
  return value;
}

const text: Parse = (value) => value;
const bool: Parse = (value) => value === "t";
const timestamp = pg.types.getTypeParser(pg.types.builtins.TIMESTAMPTZ) as Parse;
// The published type of arrayParser is not what the package exports.
const arrays = pg.types.arrayParser as unknown as { create(source: string, parse: Parse): { parse(): unknown[] } };
const arrayOf =
  (parse: Parse): Parse =>
  (value) =>
    arrays.create(value, parse).parse();

const parsers: ReadonlyMap<number, Parse> = new Map<number, Parse>([
  [oid.bool, bool],
  [oid.int2, Number],
  [oid.int4, Number],
  [oid.int8, integer],
  [oid.oid, Number],
  [oid.float4, Number],
  [oid.float8, Number],
  [oid.json, JSON.parse as Parse],
  [oid.jsonb, JSON.parse as Parse],
  [oid.timestamptz, timestamp],
  [arrayOid.bool, arrayOf(bool)],
  [arrayOid.int2, arrayOf(Number)],
  [arrayOid.int4, arrayOf(Number)],
  [arrayOid.int8, arrayOf(integer)],
  [arrayOid.oid, arrayOf(Number)],
  [arrayOid.name, arrayOf(text)],
  [arrayOid.text, arrayOf(text)],
  [arrayOid.varchar, arrayOf(text)],
]);

/** How values of our own queries become JavaScript: numbers, booleans, Date (timestamptz), parsed json, arrays; everything else text. */
export const valueTypes = { getTypeParser: (type: number) => parsers.get(type) ?? text };

/** A bigint of somebody's: a number where it can be one, BigInt where not. */
function anyInteger(digits: string): number | bigint {
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : BigInt(digits);
}

const exactParsers: ReadonlyMap<number, Parse> = new Map<number, Parse>([
  ...parsers,
  [oid.int8, anyInteger],
  [arrayOid.int8, arrayOf(anyInteger)],
  // A Date has no microseconds.
  [oid.timestamptz, text],
]);

/** Of statements that we do not know (Statement.exact): as above, and no value loses anything. */
export const exactTypes = { getTypeParser: (type: number) => exactParsers.get(type) ?? text };
