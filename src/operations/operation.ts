import type { z } from "zod";
import type { Context } from "./context.ts";
import type { Io } from "./io.ts";

export type Example = { readonly command: string; readonly about: string };

/**
 * One action of a user, declared once. Parsing, help, JSON, the reference page and (later) the HTTP route derive from it.
 * `Input` is an object whose fields were made with `key()` and `words()` of input.ts; they carry their help and aliases.
 */
export type OperationOf<Input extends z.ZodObject, Output extends z.ZodType> = {
  /** The words that call it, as shown: `["add", "db"]`. Plurals and synonyms of verbs and nouns are understood by themselves. */
  readonly name: readonly [string, ...string[]];
  /** Other whole spellings: `[["alter", "sync"]]`. */
  readonly synonyms?: readonly (readonly [string, ...string[]])[];
  /** One line, no full stop. */
  readonly summary: string;
  /** Paragraphs of plain text, separated by an empty line. */
  readonly description: string;
  readonly group: "installation" | "daemon" | "databases" | "relations" | "syncs" | "settings" | "data" | "migration" | "help";
  /** What a `reads` operation prints is its result; what a `writes` operation prints is silenced by --quiet. */
  readonly effect: "reads" | "writes";
  /**
   * Over HTTP: absent: what reads is free to whoever can read at all, what writes needs the token. `token`: shows values of rows, or costs much, so it needs
   * the token too. `hide`: fields, at any depth of the output, that only those with the token see. `refused`: it is not offered there, for this reason.
   */
  readonly http?: "token" | { readonly hide: readonly string[] } | { readonly refused: string };
  /** false: it acts at once or not at all, so --dryrun is refused instead of ignored. */
  readonly rehearsable?: false;
  /** `required`: it cannot do anything without the control database. */
  readonly control: "required" | "optional" | "none";
  /** It goes on until it is interrupted and tells what it has to tell meanwhile, with --json too: its output is nothing. */
  readonly streams?: true;
  readonly input: Input;
  readonly output: Output;
  /** Words that may stand before the names and mean nothing: `kick sync x`. */
  readonly noise?: readonly string[];
  /**
   * What happens to `a=b` when `a` is no declared key: `refuse` (default) is an error with the nearest key; `word` keeps
   * it among the words as it stands (`set log_level=debug`).
   */
  readonly otherPairs?: "refuse" | "word";
  /** Everything after the name that is no option is a word, also `a=b` (`message`, `start` with a reason). */
  readonly rawWords?: boolean;
  readonly examples: readonly Example[];
  /** Meanings of the exit codes beyond 0 and 1. */
  readonly exitCodes?: Readonly<Record<number, string>>;
  run(input: z.output<Input>, context: Context): Promise<z.output<Output>>;
  /** For people; `--json` prints the output itself. */
  print(output: z.output<Output>, io: Io, context: Context): void;
  /** Exit code of a run that did not throw; 0 when absent. */
  exit?(output: z.output<Output>): number;
};

export type Operation = OperationOf<z.ZodObject, z.ZodType>;

/** Declares an operation; only there for the types. */
export function defineOperation<Input extends z.ZodObject, Output extends z.ZodType>(
  operation: OperationOf<Input, Output>,
): OperationOf<Input, Output> {
  return operation;
}

/** `add db` */
export function spell(operation: Pick<Operation, "name">): string {
  return operation.name.join(" ");
}
