/** Where in a run somebody's code may be called, in the order of a run. `conflict` and `exception` only when there is one. */
export const WHENRUN = [
  "before_sync",
  "before_txn",
  "before_check_rows",
  "before_trigger_disable",
  "after_trigger_disable",
  "conflict",
  "exception",
  "after_table_sync",
  "before_trigger_enable",
  "after_trigger_enable",
  "after_txn",
  "after_sync",
] as const;

export type Whenrun = (typeof WHENRUN)[number];

/** Version 4 and the command line of version 5 say `drop` where the tables of version 5 say `disable`. */
export function parseWhenrun(word: string): Whenrun | null {
  const text = word
    .trim()
    .toLowerCase()
    .replaceAll("-", "_")
    .replace(/_trigger_drop$/, "_trigger_disable");
  return WHENRUN.find((each) => each === text) ?? null;
}

/** Called once for each table: code that is attached to a table is called for no other one. */
export function isOfTable(whenrun: Whenrun): boolean {
  return whenrun === "conflict" || whenrun === "exception" || whenrun === "after_table_sync";
}

/** Called within the transactions of a run, where only rows may be read and changed. */
export function isInside(whenrun: Whenrun): boolean {
  return !["before_sync", "before_txn", "after_txn", "after_sync"].includes(whenrun);
}

export type CodeLanguage = "js" | "sql";

/** A piece of custom code as it runs: attached to what, and in which order. */
export type CustomCode = {
  readonly id: number;
  readonly name: string;
  readonly whenrun: Whenrun;
  readonly language: CodeLanguage;
  /** JavaScript module, or statements of SQL. */
  readonly text: string;
  readonly checksum: string;
  /** It wants handles of the databases. */
  readonly getdbh: boolean;
  /** SQL: where it is executed; null: on the target. */
  readonly db: string | null;
  /** Lower ones are called first. */
  readonly priority: number;
  /** `schema.name` of the table that it is attached to; null: the whole sync. */
  readonly table: string | null;
};

/** In the order in which they are called: by priority, those of a table before those of the sync, by name. Pure. */
export function inOrder(codes: readonly CustomCode[]): CustomCode[] {
  return codes.toSorted(
    (one, other) =>
      one.priority - other.priority || Number(one.table === null) - Number(other.table === null) || (one.name < other.name ? -1 : 1),
  );
}
