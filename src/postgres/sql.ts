/** One statement with the name under which pg_stat_activity shows it. */
export type Statement = { readonly name: string; readonly text: string; readonly values?: readonly unknown[] };

/** `sql("capture.purge", "truncate ...")`: the name is room.verb and goes in front of the text as a comment. */
export function sql(name: string, text: string, values?: readonly unknown[]): Statement {
  const named = `/* bucardo:${name} */ ${text}`;
  return values === undefined ? { name, text: named } : { name, text: named, values };
}
