/** Who wins conflicts: of a table or of the whole sync, in this run or until the daemon ends. */
export type Winner = {
  readonly how: "tablewinner" | "tablewinner_always" | "syncwinner" | "syncwinner_always";
  /** The first of them that has the row. */
  readonly databases: readonly string[];
};
