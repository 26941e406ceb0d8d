/** An entry of docs/errors.md with its place and what to do. */
export type ErrorView = {
  readonly code: string;
  readonly message: string;
  readonly advice: string;
  readonly db?: string | undefined;
  readonly sync?: string | undefined;
  readonly table?: string | undefined;
  readonly sqlstate?: string | undefined;
  readonly problems?: readonly { readonly grade: string; readonly what: string; readonly remedy: string }[] | undefined;
};
