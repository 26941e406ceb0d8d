/** Who wins when a row was changed on both sides. `list`: the first of these databases that changed it. */
export type Strategy =
  | { readonly kind: "latest" | "latest_all_tables" | "source" | "target" | "skip" | "random" | "abort" }
  | { readonly kind: "list"; readonly dbs: readonly string[] };

/** A child was added on one side while its parent was deleted on the other. restore: the parent comes back; delete: the child goes; ignore: nothing is looked for. */
export const foreignKeyPolicies = ["restore", "delete", "ignore"] as const;
export type ForeignKeyPolicy = (typeof foreignKeyPolicies)[number];

export const sequencePolicies = ["highest", "lowest"] as const;
export type SequencePolicy = (typeof sequencePolicies)[number];

/** What conflicts between two sources mean. Strategies as they were declared. */
export type Exchange = {
  readonly strategy: string;
  /** Those of single tables, by displayed name. */
  readonly tables: Readonly<Record<string, string>>;
  readonly foreignKeys: ForeignKeyPolicy;
  readonly sequences: SequencePolicy;
  /** All sources of the sync, first the one with which the others exchange. */
  readonly sources: readonly string[];
};

export const DEFAULT_STRATEGY = "bucardo_latest";

const WORDS: Readonly<Record<string, Strategy["kind"]>> = {
  latest: "latest",
  latest_all_tables: "latest_all_tables",
  source: "source",
  target: "target",
  skip: "skip",
  random: "random",
  abort: "abort",
  // Without code that decides there is nobody to ask.
  custom: "abort",
};

/** As they are told to people. */
export const STRATEGY_WORDS = ["latest", "latest_all_tables", "source", "target", "skip", "random", "abort"].map(
  (word) => `bucardo_${word}`,
);

/**
 * `bucardo_latest`, with or without the prefix and in any case, or names of databases separated by blanks or commas. Null: neither, as far as `known`
 * names tell.
 */
export function parseStrategy(text: string, known: readonly string[]): Strategy | null {
  const names = text.split(/[\s,]+/).filter((word) => word !== "");
  if (names.length > 0 && names.every((name) => known.includes(name))) return { kind: "list", dbs: names };
  const kind =
    WORDS[
      text
        .trim()
        .toLowerCase()
        .replace(/^bucardo_/, "")
        .replaceAll("-", "_")
    ];
  return kind === undefined || kind === "list" ? null : { kind };
}
