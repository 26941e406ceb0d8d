import { ExpressionError, readCondition, readSelectList } from "../../model/expression.ts";
import { BucardoError } from "../../model/error.ts";
import { displayName, type QualifiedName } from "../../model/name.ts";
import type { Custom, CustomKind } from "../../model/sync.ts";

/** The words of one kind of special terms: what differs between `customname`, `customcols` and `rowfilter`. */
export type KindWords = {
  readonly kind: CustomKind;
  readonly noun: string;
  readonly plural: string;
  readonly about: string;
  readonly value: string;
  readonly valueAbout: string;
  readonly example: string;
  readonly exampleAbout: string;
  readonly description: string;
};

const WHERE =
  "db= and sync= narrow it to a database or a sync and may be repeated; without db= it holds for every database that is no source. The most specific one counts: " +
  "database and sync, database, sync, all. In a sync that has run before, the next run copies the table again under its new terms, so that no row is left " +
  "from the old ones.";

export const KINDS: Readonly<Record<CustomKind, KindWords>> = {
  name: {
    kind: "name",
    noun: "customname",
    plural: "customnames",
    about: "Let a table or sequence have another name on some databases",
    value: "NEWNAME",
    valueAbout: "NAME or SCHEMA.NAME; without a schema, that of the table.",
    example: "bucardo add customname public.account archive.account db=B",
    exampleAbout: "On B only. db= may also name a source.",
    description: `${WHERE}\n\nWith other names one database may be source and target at the same time, registered under two names.`,
  },
  columns: {
    kind: "columns",
    noun: "customcols",
    plural: "customcols",
    about: "Choose, rename or compute the columns that travel",
    value: '"SELECT ..."',
    valueAbout:
      "Columns of the table and expressions over them, each expression with a name: upper(name) AS name. * stands for all others.",
    example: `bucardo add customcols public.account "SELECT id, lower(email) AS email" db=B`,
    exampleAbout: "B gets two columns of the table, one of them in lower case.",
    description:
      "The columns of the key must be among them, unchanged; they may have another name (id AS account_id). Expressions are evaluated on the source, from the row " +
      `alone: no aggregates, no subqueries, nothing that gives another value each time. The server checks the list before it is accepted. ${WHERE}`,
  },
  filter: {
    kind: "filter",
    noun: "rowfilter",
    plural: "rowfilters",
    about: "Choose the rows that are replicated",
    value: '"CONDITION"',
    valueAbout: "An SQL condition over the columns of the table.",
    example: `bucardo add rowfilter public.account "region = 'EU' and not hidden" db=B`,
    exampleAbout: "Rows that stop to fit leave B, and those that begin to fit arrive there.",
    description:
      "Evaluated on the source, from the row alone: no subqueries, no time of day. A row that is changed so that the condition does not hold any more is deleted on " +
      `the target; one for which it begins to hold is inserted. compare, repair and copies look at the same rows. The server checks the condition before it is accepted. ${WHERE}`,
  },
};

/** What the user wrote, as it is kept. @throws BucardoError bad-value */
export function readValue(kind: CustomKind, text: string, table: QualifiedName): Pick<Custom, "to" | "clause"> {
  try {
    if (kind === "name") return { to: readName(text, table.schema), clause: null };
    if (kind === "filter") return { to: null, clause: readCondition(text) };
    readSelectList(text);
    return { to: null, clause: text.trim() };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const what = kind === "filter" ? "condition" : "select list";
    throw new BucardoError("bad-value", `The ${what} of ${displayName(table)} is not accepted: ${error.message}.`, {
      advice: "Nothing was changed.",
    });
  }
}

/** `name`, `schema.name`, `"Schema"."a.b"`; exactly as written, as everywhere in this program. */
function readName(text: string, schema: string): QualifiedName {
  const parts = [...text.matchAll(/\s*(?:"((?:[^"]|"")+)"|([^".]+))\s*(\.|$)/gy)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? "").trim() : quoted.replaceAll('""', '"'),
  );
  const [first = "", second] = parts;
  if (parts.length === 1 && first !== "") return { schema, name: first };
  if (parts.length === 2 && first !== "" && second !== undefined && second !== "") return { schema: first, name: second };
  throw new BucardoError("bad-value", `"${text}" is no name of a table.`, { advice: "Write NAME or SCHEMA.NAME. Nothing was changed." });
}

/** ` (for database X, sync s)`; empty when it holds for all. */
export function placeText(place: { readonly db: string | null; readonly sync: string | null }): string {
  const parts = [...(place.db === null ? [] : [`database ${place.db}`]), ...(place.sync === null ? [] : [`sync ${place.sync}`])];
  return parts.length === 0 ? "" : ` (for ${parts.join(", ")})`;
}

/** The value as people write it. */
export function valueText({ to, clause }: Pick<Custom, "to" | "clause">): string {
  return to === null ? (clause ?? "") : displayName(to);
}
