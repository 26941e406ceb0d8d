import type { Problem } from "../model/error.ts";
import { findKey, keysOf, squash, type NamedField } from "../operations/fields.ts";
import { findOperation } from "../operations/find.ts";
import { parseSwitch } from "../config/value-types.ts";
import type { Operation } from "../operations/operation.ts";
import type { GlobalOption, Grammar, OptionValues } from "./grammar.ts";
import { nearest } from "../catalog/nearest.ts";

export type Keyed = { readonly typed: string; readonly value: string };
export type Separated = { bare: string[]; keyed: Keyed[]; options: OptionValues; problems: Problem[] };

/** First pass: what begins with a dash, with its value, apart from the rest. */
export function separateOptions(argv: readonly string[], grammar: Grammar): Separated {
  const result: Separated = { bare: [], keyed: [], options: {}, problems: [] };
  const queue = [...argv];
  while (queue.length > 0) {
    const token = queue.shift() ?? "";
    if (token === "--") {
      result.bare.push(...queue);
      break;
    }
    const long = /^--?([A-Za-z?][\w-]*)(?:=(.*))?$/s.exec(token);
    if (!token.startsWith("-") || token === "-" || /^-\d/.test(token))
      result.bare.push(...(result.bare.length === 0 ? splitVerb(token) : [token]));
    else if (token.startsWith("--") && long) takeLong(long[1] ?? "", long[2], queue, grammar, result);
    else takeShort(token, queue, grammar, result);
  }
  return result;
}

function takeLong(name: string, given: string | undefined, queue: string[], grammar: Grammar, result: Separated): void {
  const operation = findOperation(grammar.operations, result.bare)?.operation;
  const exact = exactOption(grammar.options, name);
  const key = operation ? findKey(operation, name) : result.bare.length === 0 ? keyOfAny(grammar.operations, name) : null;
  const option = exact ?? (key === null ? abbreviatedOption(grammar.options, name) : null);
  if (option !== null) return storeOption(option, name, given, queue, result);
  if (key !== null) {
    const value = given ?? (key.flag && parseSwitch(queue[0] ?? "") === null ? "true" : queue.shift());
    if (value === undefined) result.problems.push(usage(`--${name} needs a value`, `Write --${name}=${key.value ?? "VALUE"}.`));
    else result.keyed.push({ typed: name, value });
    return;
  }
  const candidates = [
    ...grammar.options.flatMap((each) => [each.name, ...each.aliases]),
    ...(operation ? keysOf(operation).map((each) => each.name) : []),
  ];
  const near = nearest(
    name,
    candidates.filter((each) => each.length > 1),
  );
  result.problems.push(usage(`There is no option --${name}`, near === null ? "" : `Did you mean --${near}?`));
}

function takeShort(token: string, queue: string[], grammar: Grammar, result: Separated): void {
  const letter = token.slice(1, 2);
  const rest = token.slice(2);
  const operation = findOperation(grammar.operations, result.bare)?.operation;
  const key = operation ? keysOf(operation).find((each) => each.short === letter) : undefined;
  const option = grammar.options.find((each) => each.aliases.includes(letter));
  if (key) {
    const value = rest === "" ? queue.shift() : rest.replace(/^=/, "");
    if (value === undefined) result.problems.push(usage(`-${letter} needs a value`, ""));
    else result.keyed.push({ typed: key.name, value });
  } else if (option === undefined) {
    result.problems.push(usage(`There is no option ${token}`, /^-\w{2,}/.test(token) ? `Long options have two dashes: -${token}` : ""));
  } else if (option.type === "flag" || option.type === "count") {
    storeOption(option, letter, undefined, queue, result);
    if (rest !== "") takeShort(`-${rest}`, queue, grammar, result);
  } else {
    storeOption(option, letter, rest === "" ? undefined : rest.replace(/^=/, ""), queue, result);
  }
}

function storeOption(option: GlobalOption, typed: string, given: string | undefined, queue: string[], result: Separated): void {
  const { options, problems } = result;
  const negated =
    option.negatable && squash(typed).startsWith("no") && ![option.name, ...option.aliases].some((name) => squash(name) === squash(typed));
  if (negated) options[option.name] = false;
  else if (option.type === "flag" && given !== undefined && parseSwitch(given) === null)
    problems.push(usage(`--${typed} takes no value`, ""));
  else if (option.type === "flag") options[option.name] = given === undefined || parseSwitch(given) === true;
  else if (option.type === "count")
    options[option.name] = given !== undefined && /^\d+$/.test(given) ? Number(given) : Number(options[option.name] ?? 0) + 1;
  else {
    const value = given ?? queue.shift();
    const before = options[option.name];
    if (value === undefined) problems.push(usage(`--${typed} needs a value`, ""));
    else if (option.type === "list") options[option.name] = [...(Array.isArray(before) ? (before as string[]) : []), value];
    else options[option.name] = value;
  }
}

/** `reload_config` = `reload config`; only the first bare word is a verb. */
function splitVerb(verb: string): string[] {
  return /^[a-z]+(_[a-z]+)+$/i.test(verb) ? verb.split("_") : [verb];
}

function exactOption(options: readonly GlobalOption[], typed: string): GlobalOption | null {
  const wanted = squash(typed);
  const names = (option: GlobalOption): string[] => [option.name, ...option.aliases].map(squash);
  const direct = options.find((option) => names(option).includes(wanted));
  return direct ?? options.find((option) => option.negatable && names(option).some((name) => `no${name}` === wanted)) ?? null;
}

/** Abbreviations are understood while only one option begins so. */
function abbreviatedOption(options: readonly GlobalOption[], typed: string): GlobalOption | null {
  const wanted = squash(typed);
  const matching = options.filter((option) => [option.name, ...option.aliases].some((name) => squash(name).startsWith(wanted)));
  return wanted.length >= 2 && matching.length === 1 ? (matching[0] ?? null) : null;
}

/** For options that stand before the verb. */
function keyOfAny(operations: readonly Operation[], typed: string): NamedField | null {
  for (const operation of operations) {
    const field = findKey(operation, typed);
    if (field !== null) return field;
  }
  return null;
}

/** One thing wrong with the line, and what to do. */
export function usage(what: string, remedy: string): Problem {
  return { grade: "error", what, remedy };
}
