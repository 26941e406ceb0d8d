import type { Column } from "./column.ts";

/**
 * Why values of one column cannot, or may not, become values of another. `strict`: they can as long as they fit, so it is
 * an error only under strict checking.
 */
export type Obstacle = { readonly grade: "error" | "strict" | "warning"; readonly why: string };

/** Looks at types only; equality of keys, NULL and defaults are compared elsewhere. Null: every value crosses unchanged. */
export function crossType(source: Column, target: Column): Obstacle | null {
  if (source.shapeKind === "e" && target.shapeKind === "e" && isArray(source) === isArray(target)) return crossEnum(source, target);
  if (source.portableType === target.portableType) return crossSameType(source, target);
  if (isArray(source) !== isArray(target)) return { grade: "error", why: "one is an array" };
  const from = parseType(source.portableType);
  const to = parseType(target.portableType);
  const rule =
    from.name === to.name
      ? sameName
      : (rules.find(([sources, targets]) => sources.test(from.name) && targets.test(to.name))?.[2] ?? foreign);
  return rule(from, to) ?? crossDomain(source, target);
}

function crossEnum(source: Column, target: Column): Obstacle | null {
  const missing = source.enumLabels!.filter((label) => !target.enumLabels!.includes(label));
  if (missing.length > 0)
    return { grade: "error", why: `the target's type lacks the labels ${missing.map((label) => `'${label}'`).join(", ")}` };
  return source.portableType === target.portableType
    ? null
    : { grade: "warning", why: "the enums have the same labels under different names" };
}

function crossSameType(source: Column, target: Column): Obstacle | null {
  if (source.fields !== target.fields)
    return {
      grade: "error",
      why: `the composite type has the fields (${source.fields}) on the source and (${target.fields}) on the target`,
    };
  return crossDomain(source, target);
}

function crossDomain(source: Column, target: Column): Obstacle | null {
  if (target.typeKind !== "d" || source.type === target.type) return null;
  return { grade: "strict", why: `the domain ${target.type} of the target may refuse values` };
}

type ParsedType = { readonly name: string; readonly args: readonly string[] };

/** `numeric(10,2)[]` -> numeric, 10, 2; `timestamp(3) with time zone` -> `timestamp with time zone`, 3. */
function parseType(type: string): ParsedType {
  const [, before = "", args, after = ""] = /^([^(]*)(?:\(([^)]*)\))?(.*)$/s.exec(type.replace(/\[\]$/, ""))!;
  return { name: (before + after).trim(), args: args?.split(",").map((arg) => arg.trim()) ?? [] };
}

function isArray(column: Column): boolean {
  return column.elementTypeOid !== 0;
}

type Rule = (from: ParsedType, to: ParsedType) => Obstacle | null;

const fine: Rule = () => null;

const foreign: Rule = () => ({ grade: "error", why: "rows cannot cross between these types" });

/** Most characters, bits or digits of a fraction that a type takes; without an argument there is no limit. */
function limit(type: ParsedType, none: number): number {
  return type.args.length === 0 ? none : Number(type.args[0]);
}

const wideEnough: Rule = (from, to) =>
  limit(to, Infinity) >= limit(from, Infinity) ? null : { grade: "strict", why: "longer values do not fit on the target" };

const padded: Rule = (from, to) =>
  wideEnough(from, to) ?? { grade: "warning", why: "character(n) pads with blanks, so values differ in trailing blanks" };

const zones: Rule = (from, to) => finerClock(from, to) ?? { grade: "warning", why: "times cross as UTC" };

/** Six digits of seconds is all there is. */
const finerClock: Rule = (from, to) =>
  limit(to, 6) >= limit(from, 6) ? null : { grade: "strict", why: "the target rounds fractions of seconds" };

const numbers: Rule = (from, to) => {
  if (to.args.length === 0) return null;
  if (from.args.length === 0) return { grade: "error", why: "the target rounds, or refuses, numbers that the source takes" };
  const [digits = 0, fraction = 0] = from.args.map(Number);
  const [targetDigits = 0, targetFraction = 0] = to.args.map(Number);
  if (targetFraction < fraction) return { grade: "error", why: "the target rounds the fraction" };
  return targetDigits - targetFraction >= digits - fraction
    ? null
    : { grade: "error", why: "the target has fewer digits before the point" };
};

const integerDigits: Readonly<Record<string, number>> = { smallint: 5, integer: 10, bigint: 19 };

const integerToNumeric: Rule = (from, to) => numbers({ name: from.name, args: [String(integerDigits[from.name]), "0"] }, to);

const sameArguments: Rule = (from, to) =>
  to.args.length === 0 || from.args.join() === to.args.join()
    ? null
    : { grade: "strict", why: "the target's type is restricted in another way" };

const bits: Rule = (from, to) => (from.args[0] === to.args[0] ? null : { grade: "error", why: "bit(n) takes exactly n bits" });

/** Same name, other arguments. */
const sameName: Rule = (from, to) => {
  if (from.name === "numeric") return numbers(from, to);
  if (from.name === "bit") return bits(from, to);
  if (from.name === "character") return padded(from, to);
  if (/^(character varying|bit varying)$/.test(from.name)) return wideEnough(from, to);
  if (/^(time|interval)/.test(from.name)) return finerClock(from, to);
  return sameArguments(from, to);
};

const strings = /^(text|character varying|citext:citext)$/;
const blankPadded = /^(character|bpchar)$/;

/** What may cross although the names differ: types of the source, types of the target, and how far. Arrays follow their elements. */
const rules: readonly (readonly [RegExp, RegExp, Rule])[] = [
  [strings, strings, wideEnough],
  [blankPadded, strings, padded],
  [strings, blankPadded, padded],
  [blankPadded, blankPadded, padded],
  [/^smallint$/, /^(integer|bigint|real|double precision)$/, fine],
  [/^integer$/, /^(bigint|double precision)$/, fine],
  [/^(smallint|integer|bigint)$/, /^numeric$/, integerToNumeric],
  [/^real$/, /^double precision$/, fine],
  [/^timestamp with/, /^timestamp with/, zones],
  [/^bit$/, /^bit varying$/, wideEnough],
  [/^interval /, /^interval$/, fine],
];
