/** One statement with the name under which pg_stat_activity shows it. */
export type Statement = {
  readonly name: string;
  readonly text: string;
  readonly values?: readonly unknown[];
  /** The server parses it once per session, and soon plans it once: for texts that come again and again. */
  readonly prepared?: true;
  /** In a batch, for statements of somebody else: its values come so that none loses anything (values.ts). */
  readonly exact?: true;
  /** In a batch, for `copy ... from stdin`: messages that go along with it (copyOrKeep). */
  readonly copyIn?: readonly Buffer[];
};

/** `sql("capture.purge", "truncate ...")`: the name is room.verb and goes in front of the text as a comment. */
export function sql(name: string, text: string, values?: readonly unknown[]): Statement {
  const named = `/* bucardo:${name} */ ${text}`;
  return values === undefined ? { name, text: named } : { name, text: named, values };
}

/** Like `sql`, and kept by the session: only for texts that are always the same, or nearly so, as sessions never forget one. */
export function prepared(name: string, text: string, values: readonly unknown[] = []): Statement {
  return { ...sql(name, text, values), prepared: true };
}
