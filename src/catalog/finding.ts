export type TableComparison = {
  /** Differences of NOT NULL, DEFAULT, column order and extra columns are errors instead of warnings. */
  readonly strict: boolean;
  /** true: columns that only the target has, and that need no value, are warnings all the same: they are added there first. ignored: so it is meant. */
  readonly extraColumns?: true | "ignored";
  /** Columns that are computed on the way: the target says whether it can take them. */
  readonly computed?: ReadonlySet<string>;
  /** The key that names rows, in the source's names. */
  readonly key: readonly string[];
  /** Name of the target database, for the report. */
  readonly db: string;
  /** What a missing table may have been meant to be (`nearestRelation`). */
  readonly hint?: string | null;
};

/** A finding before it is known where it stands; `strict` is an error or a warning by `TableComparison.strict`. */
export type Finding = { readonly grade: "error" | "strict" | "warning"; readonly what: string; readonly remedy: string };
