/** Where an operation speaks and asks. The command line gives the terminal; another caller something of its own. */
export type Io = {
  /** A person sits there: questions can be asked. */
  readonly interactive: boolean;
  /** Output goes to a terminal: lines may be rewritten. */
  readonly isTerminal: boolean;
  /** Columns now; 80 when unknown. */
  readonly width: number;
  /** Lines of the window now; undefined: there is none. */
  readonly height?: number | undefined;
  /** Calls back whenever the window has another size, until disposed. */
  readonly onResize?: ((changed: () => void) => Disposable) | undefined;
  /** How much detail: 0 normal, 1 members, 2 all columns. */
  readonly verbose: number;
  /** One line of result or of what was done. */
  out(line: string): void;
  /** Text as it is, without a line end: counters that are rewritten with `\r`. */
  write(text: string): void;
  /** A warning, a question's echo: stderr, never silenced by --quiet. */
  err(line: string): void;
  /** What happens meanwhile, for a caller that draws it itself; absent: nobody does. */
  event?(of: { readonly kind: string }): void;
  /** Prints the question and reads one line; null at the end of input. */
  ask(question: string): Promise<string | null>;
};
