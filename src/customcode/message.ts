/** What the daemon and the process that runs custom code tell each other; anything that structured clones can hold. */
export type ToCode =
  | {
      readonly kind: "call";
      readonly call: number;
      readonly code: CodeText;
      readonly input: Readonly<Record<string, unknown>>;
      readonly databases: readonly string[];
    }
  | { readonly kind: "answer"; readonly request: number; readonly value?: unknown; readonly error?: CodeFailure };

/** `text` only until the process knows it. */
export type CodeText = { readonly name: string; readonly checksum: string; readonly text?: string };

export type FromCode =
  | { readonly kind: "ready" }
  | {
      readonly kind: "query";
      readonly call: number;
      readonly request: number;
      readonly db: string;
      readonly text: string;
      readonly values: readonly unknown[];
    }
  | { readonly kind: "ask"; readonly call: number; readonly request: number; readonly what: string; readonly argument: unknown }
  | { readonly kind: "done"; readonly call: number; readonly output: Readonly<Record<string, unknown>> }
  | { readonly kind: "failed"; readonly call: number; readonly error: CodeFailure };

/** An error on its way to the other side. `code` is the SQLSTATE where a server said it. */
export type CodeFailure = {
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  readonly detail?: string;
  readonly constraint?: string;
  readonly column?: string;
  readonly table?: string;
};
