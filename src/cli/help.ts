import { keysOf, wordsOf, type NamedField } from "../operations/fields.ts";
import { spell, type Operation } from "../operations/operation.ts";
import type { GlobalOption } from "./grammar.ts";

/** An option with its help; what config/options.ts declares. */
export type DescribedOption = GlobalOption & { readonly help: string };

/** Groups of operations with their titles, in the order of help and reference. */
export const GROUPS: readonly (readonly [Operation["group"], string])[] = [
  ["migration", "Moving a database"],
  ["installation", "Installation"],
  ["databases", "Databases"],
  ["relations", "Tables and sequences"],
  ["syncs", "Syncs"],
  ["daemon", "Daemon"],
  ["data", "Data"],
  ["settings", "Settings"],
  ["help", "Help"],
];

/** One line, for a call without a command. */
export function usageLine(program: string): string {
  return `Usage: ${program} [options] VERB [NOUN] [NAME...] [KEY=VALUE...]     (\`${program} help\` lists the commands)`;
}

/** All commands, each with its summary. */
export function overview(program: string, operations: readonly Operation[], options: readonly DescribedOption[]): string {
  const lines = [usageLine(program)];
  for (const [group, title] of GROUPS) {
    const members = operations.filter((operation) => operation.group === group);
    if (members.length > 0) lines.push("", `${title}:`, ...columns(members.map((operation) => [spell(operation), operation.summary])));
  }
  lines.push("", "Options (anywhere on the line):", ...columns(options.map((option) => [optionSpelling(option), option.help])));
  lines.push("", `\`${program} help VERB [NOUN]\` tells more of one command.`);
  return lines.join("\n");
}

/** Several commands of one verb. */
export function verbHelp(program: string, verb: string, operations: readonly Operation[]): string {
  // The second word of a guided move says what to do, not with what.
  const second = operations.every(({ group }) => group === "migration") ? "VERB" : "NOUN";
  return [
    `Commands of ${verb}:`,
    ...columns(operations.map((operation) => [spell(operation), operation.summary])),
    "",
    `\`${program} help ${verb} ${second}\` tells more.`,
  ].join("\n");
}

/** Everything of one command. */
export function operationHelp(program: string, operation: Operation): string {
  const lines = [`${program} ${synopsis(operation)}`, "", `${operation.summary}.`];
  if (operation.description !== "") lines.push("", operation.description);
  const keys = keysOf(operation);
  const own = keys.filter((each) => !each.legacy);
  const legacy = keys.filter((each) => each.legacy);
  const named = wordsOf(operation);
  if (named !== null) lines.push("", ...columns([[named.value ?? named.name.toUpperCase(), named.about]]));
  if (own.length > 0)
    lines.push(
      "",
      "Keys (key=value, key:value, --key value, --key=value):",
      ...columns(own.map((each) => [keySpelling(each), keyAbout(each)])),
    );
  if (legacy.length > 0)
    lines.push("", "Accepted for older scripts, kept and listed, without effect:", `  ${legacy.map((each) => each.name).join(", ")}`);
  if (operation.examples.length > 0)
    lines.push(
      "",
      "Examples:",
      ...operation.examples.flatMap(({ command, about }) => [`  ${command.replace(/^bucardo(_ctl)?\b/, program)}`, `      ${about}`]),
    );
  const codes = Object.entries(operation.exitCodes ?? {});
  if (codes.length > 0) lines.push("", "Exit codes:", ...columns(codes.map(([code, meaning]) => [code, meaning])));
  return lines.join("\n");
}

/** `add db NAME... [KEY=VALUE...]` */
export function synopsis(operation: Operation): string {
  const named = wordsOf(operation);
  const { min = 0, max = 0 } = named?.words ?? {};
  const value = named?.value ?? "NAME";
  const word = named === null ? "" : ` ${min === 0 ? `[${value}${max > 1 ? "..." : ""}]` : `${value}${max > 1 ? "..." : ""}`}`;
  return `${spell(operation)}${word}${keysOf(operation).length > 0 ? " [KEY=VALUE...]" : ""}`;
}

export function keySpelling(each: NamedField): string {
  const short = each.short === undefined ? "" : `-${each.short}, `;
  return each.flag === true && each.short !== undefined
    ? `${short}--${each.name}`
    : `${short}${each.name}=${each.value ?? (each.flag ? "on|off" : "VALUE")}`;
}

export function keyAbout(each: NamedField): string {
  return each.aliases === undefined || each.aliases.length === 0 ? each.about : `${each.about} (also: ${each.aliases.join(", ")})`;
}

export function optionSpelling(option: GlobalOption): string {
  const shorts = option.aliases.filter((alias) => alias.length === 1).map((alias) => `-${alias}`);
  const value = option.type === "flag" || option.type === "count" ? "" : "=VALUE";
  return [...shorts, `--${option.name}${value}`].join(", ");
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)) + 2);
  return rows.map(([left, right]) =>
    left.length + 1 > width ? `  ${left}\n  ${" ".repeat(width)}${right}` : `  ${left.padEnd(width)}${right}`,
  );
}
