import { BucardoError, type Problem } from "../model/error.ts";
import { findKey, keysOf, wordsOf } from "../operations/fields.ts";
import { findOperation } from "../operations/find.ts";
import { splitList } from "../operations/input.ts";
import { spell, type Operation } from "../operations/operation.ts";
import type { Grammar, OptionValues } from "./grammar.ts";
import { KEYS_NOT_OFFERED } from "../operations/words.ts";
import { nearest } from "../catalog/nearest.ts";
import { separateOptions, usage, type Keyed } from "./separate-options.ts";
import { unknownCommand } from "./unknown-command.ts";

/** `operation` is null when the line names none (only `--help`, `--version`, or nothing at all). */
export type Invocation = {
  readonly operation: Operation | null;
  /** Raw values by field name; the operation's zod input checks them. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly options: OptionValues;
};

/**
 * Bucardo's command language: `verb [noun] words... key=value key:value --key value --key=value`, global options anywhere.
 * Pure. Throws BucardoError `usage` that names everything wrong with the line at once.
 */
export function parse(argv: readonly string[], grammar: Grammar): Invocation {
  const { bare, keyed, options, problems } = separateOptions(argv, grammar);
  const [verb] = bare;
  if (verb === undefined) {
    stopOn(problems, grammar, null);
    return { operation: null, input: {}, options };
  }
  const found = findOperation(grammar.operations, bare);
  if (found === null) throw unknownCommand(bare, grammar);
  const { operation } = found;
  const input = assign(operation, bare.slice(found.length), keyed, problems);
  // Who asks for help need not write the rest.
  if (options["help"] !== true) stopOn(problems, grammar, operation);
  return { operation, input, options };
}

/** Second pass: words and keys of the operation. */
function assign(operation: Operation, rest: readonly string[], keyed: readonly Keyed[], problems: Problem[]): Record<string, unknown> {
  const words: string[] = [];
  const pairs: Keyed[] = [...keyed];
  for (const token of dropNoise(operation, rest)) {
    const pair = operation.rawWords ? null : /^([A-Za-z][\w-]*)([=:])(.*)$/s.exec(token);
    const [, typed = "", mark = "", value = ""] = pair ?? [];
    // `A:source` is a pair only when A is a key; `a=b` always is, unless the operation wants such words.
    const known = pair !== null && findKey(operation, typed) !== null;
    if (known || (mark === "=" && operation.otherPairs !== "word")) pairs.push({ typed, value });
    else words.push(token);
  }
  const input: Record<string, unknown> = {};
  for (const { typed, value } of pairs) assignKey(operation, typed, value, input, problems);
  assignWords(operation, words, input, problems);
  return input;
}

function assignKey(operation: Operation, typed: string, value: string, input: Record<string, unknown>, problems: Problem[]): void {
  const field = findKey(operation, typed);
  const instead = KEYS_NOT_OFFERED[typed.toLowerCase().replaceAll("-", "_")];
  if (field === null && instead !== undefined) problems.push(usage(`${typed} is not offered`, instead));
  else if (field === null) {
    const near = nearest(
      typed,
      keysOf(operation).flatMap((each) => [each.name, ...(each.aliases ?? [])]),
    );
    problems.push(usage(`\`${spell(operation)}\` has no key ${typed}`, near === null ? "" : `Did you mean ${near}=?`));
  } else if (field.list) input[field.name] = [...((input[field.name] as string[] | undefined) ?? []), ...splitList(value)];
  else if (field.name in input && input[field.name] !== value)
    problems.push(usage(`${field.name} is given twice, with different values`, "Give it once."));
  else input[field.name] = value;
}

function assignWords(operation: Operation, words: readonly string[], input: Record<string, unknown>, problems: Problem[]): void {
  const field = wordsOf(operation);
  const { min, max } = field?.words ?? { min: 0, max: 0 };
  if (words.length > max)
    problems.push(
      usage(
        max === 0
          ? `\`${spell(operation)}\` takes no words; "${words.join(" ")}" is too much`
          : `"${words.slice(max).join(" ")}" is too much`,
        "",
      ),
    );
  else if (words.length < min) problems.push(usage(`\`${spell(operation)}\` needs ${field?.value ?? "a name"}`, ""));
  else if (field !== null) input[field.name] = words;
}

/** `kick sync x`: the noise word goes when it stands directly behind the verb. */
function dropNoise(operation: Operation, rest: readonly string[]): readonly string[] {
  return operation.noise?.includes(rest[0]?.toLowerCase() ?? "") ? rest.slice(1) : rest;
}

function stopOn(problems: readonly Problem[], grammar: Grammar, operation: Operation | null): void {
  if (problems.length === 0) return;
  const advice = `See \`${grammar.program} help${operation === null ? "" : ` ${spell(operation)}`}\`.`;
  const [first, ...others] = problems;
  if (first !== undefined && others.length === 0)
    throw new BucardoError("usage", `${first.what}.${first.remedy === "" ? "" : ` ${first.remedy}`}`, { advice });
  throw new BucardoError("usage", "The command line is not understood.", { advice, problems });
}
