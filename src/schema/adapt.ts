import { tokensOf, type Token } from "./lexer.ts";
import { notNullOfColumns } from "./not-null.ts";

/**
 * A statement of the source as the target understands it: without what only some servers know and what changes neither rows nor results.
 * Null when nothing is left of it. What the target cannot hold at all is `checkDowngrade`'s.
 */
export function adaptStatement(statement: string, targetVersion: number): string | null {
  let text: string | null = statement;
  for (const { mentions, below, adapt } of adaptations) {
    if (text !== null && targetVersion < below && mentions.test(text)) text = adapt(text);
  }
  return text;
}

type Adaptation = {
  /** Quick look, before the statement is taken apart. */
  readonly mentions: RegExp;
  /** First version that understands it. */
  readonly below: number;
  readonly adapt: (text: string) => string | null;
};

const adaptations: readonly Adaptation[] = [
  // An attribute of columns that some minor versions keep for themselves; their own pg_dump hides it, every other server refuses it.
  { mentions: /pg_attver/, below: Number.POSITIVE_INFINITY, adapt: (text) => withoutOption(text, "pg_attver") },
  { mentions: /set compression/i, below: 140000, adapt: (text) => (endsWith(text, "set", "compression", null) ? null : text) },
  { mentions: /multirange_type_name/i, below: 140000, adapt: (text) => withoutOption(text, "multirange_type_name") },
  { mentions: /execute function/i, below: 110000, adapt: executeProcedure },
  { mentions: /^(create|alter) [\s\S]*not null/i, below: 180000, adapt: notNullOfColumns },
  { mentions: /maintain/i, below: 170000, adapt: withoutMaintain },
];

/** Takes `name = value` out of the list in parentheses of ALTER .. SET (..) or CREATE TYPE .. (..). */
function withoutOption(text: string, name: string): string | null {
  const tokens = tokensOf(text);
  const at = tokens.findIndex(
    (token, index) =>
      token.value === name && token.kind === "word" && tokens[index + 1]?.value === "=" && isAny(tokens[index - 1], "(", ","),
  );
  if (at < 0) return text;
  // The value may be a qualified name.
  let last = at + 2;
  while (!isAny(tokens[last + 1], ",", ")")) last++;
  const first = isAny(tokens[at - 1], "(") && isAny(tokens[at - 2], "set") && isAny(tokens[last + 1], ")");
  if (first) return null;
  const before = isAny(tokens[at - 1], ",");
  const from = before ? tokens[at - 1]!.start : tokens[at]!.start;
  const to = !before && isAny(tokens[last + 1], ",") ? tokens[last + 1]!.end : tokens[last]!.end;
  return text.slice(0, from) + text.slice(to).replace(/^ /, before ? " " : "");
}

function executeProcedure(text: string): string {
  const tokens = tokensOf(text);
  const isTrigger = tokens[0]?.value === "create" && tokens.slice(1, 4).some(({ value, kind }) => kind === "word" && value === "trigger");
  const at = tokens.findLastIndex(
    (token, index) => token.kind === "word" && token.value === "function" && isAny(tokens[index - 1], "execute"),
  );
  return isTrigger && at > 0 ? `${text.slice(0, tokens[at]!.start)}PROCEDURE${text.slice(tokens[at]!.end)}` : text;
}

/** GRANT SELECT,MAINTAIN ON .. */
function withoutMaintain(text: string): string | null {
  const tokens = tokensOf(text);
  const start = tokens.findIndex(({ value, kind }) => kind === "word" && (value === "grant" || value === "revoke"));
  const on = tokens.findIndex(({ value, kind }) => kind === "word" && value === "on");
  const at = tokens.findIndex(({ value, kind }, index) => index > start && index < on && kind === "word" && value === "maintain");
  if (start < 0 || at < 0) return text;
  if (isAny(tokens[at - 1], ",")) return text.slice(0, tokens[at - 1]!.start) + text.slice(tokens[at]!.end);
  if (isAny(tokens[at + 1], ",")) return text.slice(0, tokens[at]!.start) + text.slice(tokens[at + 1]!.end);
  return null;
}

/** The last tokens are these words; null stands for any. */
function endsWith(text: string, ...words: readonly (string | null)[]): boolean {
  const last = tokensOf(text).slice(-words.length);
  return words.every((word, index) => word === null || last[index]?.value === word);
}

function isAny(token: Token | undefined, ...values: readonly string[]): boolean {
  return token !== undefined && token.kind !== "name" && token.kind !== "string" && values.includes(token.value);
}
