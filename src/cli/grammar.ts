import type { Operation } from "../operations/operation.ts";

/** What the parser must know of an option that every command takes. */
export type GlobalOption = {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly type: "flag" | "count" | "text" | "integer" | "list";
  /** `--no-x` is understood. */
  readonly negatable: boolean;
};

/** Values as typed: text for text and integers, a number for counts, false for `--no-x`. */
export type OptionValues = Record<string, string | number | boolean | readonly string[]>;

/** All that a line is understood by. */
export type Grammar = { readonly program: string; readonly operations: readonly Operation[]; readonly options: readonly GlobalOption[] };
