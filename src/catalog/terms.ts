import { functionsOf, type SelectItem } from "../model/expression.ts";
import { BucardoError, type Problem } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import type { Terms } from "../model/terms.ts";
import { sqlstateOf } from "../postgres/failure.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { Column } from "./column.ts";
import type { TableShape } from "./table.ts";

/** A column as the target calls it, and what it is on the source: SQL in which the table's columns stand by their bare names. */
export type Reading = {
  readonly name: string;
  readonly text: string;
  /** The column itself, unchanged; null: computed. */ readonly column: string | null;
};

/** A table of the source as the target is to see it. */
export type TermedTable = {
  /** Columns and keys by the names of the target; the table's own name and number stay those of the source. */
  readonly shape: TableShape;
  readonly key: readonly string[];
  /** What the columns are; null: the table's own. */
  readonly readings: readonly Reading[] | null;
  readonly filter: string | null;
  /** Columns that are computed on the way. */
  readonly computed: ReadonlySet<string>;
  /** To stand in FROM; rows have the alias t and a tableoid. */
  readonly from: string;
};

type Termed = { readonly table: TermedTable; readonly problems: readonly Problem[] };

/** SQLSTATE classes of what is wrong with the text itself. */
const TEXT_FAULTS = /^(42|22|0A|2F|38|39|P0)/;

/**
 * Applies the terms of a table to its shape. Asks the server only where something is computed or chosen. Whatever does not fit is a problem, and then the
 * table is of no use. `key`: in the source's names.
 */
export async function applyTerms(
  session: Session,
  shape: TableShape,
  key: readonly string[],
  terms: Pick<Terms, "columns" | "filter"> | undefined,
): Promise<Termed> {
  const plain: TermedTable = {
    shape,
    key,
    readings: null,
    filter: terms?.filter ?? null,
    computed: new Set(),
    from: fromText(shape, { partitioned: shape.kind === "partitioned", readings: null, filter: null }),
  };
  if (terms === undefined || (terms.columns === null && terms.filter === null)) return { table: plain, problems: [] };
  const problems: Problem[] = [];
  const wrong = (what: string, remedy: string): void =>
    void problems.push({ grade: "error", db: session.name, table: displayName(shape), what, remedy });
  const items = terms.columns === null ? shape.columns.map(itemOf) : expand(terms.columns, shape);
  const unknown = items.flatMap(({ column }) => (column === null || columnNamed(shape, column) ? [] : [column]));
  if (unknown.length > 0) wrong(`its select list (customcols) names columns that do not exist: ${unknown.join(", ")}`, "Correct the list.");
  const names = new Map(items.flatMap(({ column, name }) => (column === null || name === null ? [] : [[column, name] as const])));
  const lacking = key.filter((column) => !names.has(column));
  if (lacking.length > 0)
    wrong(
      `its select list (customcols) lacks columns of the key: ${lacking.join(", ")}`,
      "They must travel, unchanged; another name is allowed: id AS account_id.",
    );
  if (problems.length > 0) return { table: plain, problems };
  const types = await askServer(session, shape, items, terms.filter, wrong);
  if (types === null) return { table: plain, problems };
  const columns = items.map(({ name, column }): Column => {
    const own = column === null ? undefined : columnNamed(shape, column);
    return own === undefined ? types.get(name!)! : { ...own, name: name! };
  });
  const readings =
    terms.columns === null ? null : items.map((item): Reading => ({ name: item.name!, text: readingOf(item), column: item.column }));
  const { filter } = terms;
  const keys = shape.keys.flatMap((each) =>
    each.columns.every((column) => names.has(column)) ? [{ ...each, columns: each.columns.map((column) => names.get(column)!) }] : [],
  );
  return {
    problems,
    table: {
      shape: { ...shape, columns, keys },
      key: key.map((column) => names.get(column)!),
      readings,
      filter,
      computed: new Set(items.flatMap(({ name, column }) => (column === null ? [name!] : []))),
      from: fromText(shape, { partitioned: shape.kind === "partitioned", readings, filter }),
    },
  };
}

/**
 * A table, or a part of it, to stand in FROM with the alias t. Where something is special it is a subquery, which the planner takes apart again, so that
 * the indexes of the table serve as before. A parent of inheritance is read without its children.
 */
export function fromText(
  name: QualifiedName,
  of: {
    readonly partitioned: boolean;
    readonly readings: readonly Reading[] | null;
    readonly filter: string | null;
    readonly alias?: string;
  },
): string {
  const table = `${of.partitioned ? "" : "only "}${quoteName(name)}`;
  if (of.readings === null && of.filter === null) return `${table} t`;
  // In what the user wrote the table may stand by its own name, which a part of it does not have.
  const alias = quoteIdent(of.alias ?? name.name);
  const columns = of.readings === null ? [`${alias}.*`] : of.readings.map((column) => `${column.text} as ${quoteIdent(column.name)}`);
  const where = of.filter === null ? "" : ` where (${of.filter})`;
  return `(select ${[`${alias}.tableoid`, ...columns].join(", ")} from ${table} as ${alias}${where}) t`;
}

function itemOf({ name }: Column): SelectItem {
  return { name, column: name, expression: quoteIdent(name) };
}

function readingOf({ column, expression }: SelectItem): string {
  return column === null ? `(${expression})` : quoteIdent(column);
}

/** `*` stands for the columns that the list does not name, neither as what travels nor as what they are called there. */
function expand(items: readonly SelectItem[], shape: TableShape): SelectItem[] {
  const named = new Set(items.flatMap(({ name, column }) => [name, column]));
  const others = shape.columns.filter(({ name }) => !named.has(name)).map(itemOf);
  return items.flatMap((item) => (item.name === null ? others : [item]));
}

function columnNamed(shape: TableShape, name: string): Column | undefined {
  return shape.columns.find((column) => column.name === name);
}

type TypeRow = { readonly oid: number; readonly name: string; readonly elem: number; readonly len: number };

/**
 * What the server makes of the expressions: their types, by name. In WHERE, which takes neither aggregates nor functions of many rows, and without
 * running any of it. Null: it refuses them; `wrong` says why.
 */
async function askServer(
  session: Session,
  shape: TableShape,
  items: readonly SelectItem[],
  filter: string | null,
  wrong: (what: string, remedy: string) => void,
): Promise<Map<string, Column> | null> {
  const computed = items.filter(({ column }) => column === null);
  if (computed.length === 0 && filter === null) return new Map();
  const volatile = await changingFunctions(session, [
    ...computed.map(({ expression }) => expression),
    ...(filter === null ? [] : [filter]),
  ]);
  if (volatile.length > 0) {
    wrong(`${volatile.join(", ")} gives another value each time: what a row becomes must follow from the row alone`, "Leave it out.");
    return null;
  }
  const conditions = [...(filter === null ? [] : [`(${filter})`]), ...computed.map(({ expression }) => `((${expression}) is null)`)];
  const alias = quoteIdent(shape.name);
  const values = computed.map(({ expression }, index) => `(${expression}) as c${index + 1}`);
  const types = computed.map((_, index) => `pg_typeof(x.c${index + 1})`);
  const text = `select ty.oid::bigint as oid, format_type(ty.oid, null) as name, ty.typelem::bigint as elem, ty.typlen::int as len
         from (select array[${types.join(", ")}]::oid[] as types
                 from (select 1) d left join (select ${values.join(", ")} from ${quoteName(shape)} as ${alias} where ${conditions.join(" or ")} limit 0) x on true) a,
              unnest(a.types) with ordinality u (type, n)
         join pg_type ty on ty.oid = u.type
        order by u.n`;
  try {
    const rows = await session.query<TypeRow>(sql("catalog.terms", text));
    return new Map(computed.map(({ name }, index) => [name!, columnOf(name!, rows[index]!)]));
  } catch (error) {
    if (!(error instanceof BucardoError) || !TEXT_FAULTS.test(sqlstateOf(error) ?? "")) throw error;
    wrong(
      `the server does not take its ${computed.length === 0 ? "row filter" : "select list (customcols) or row filter"}: ${error.message}`,
      WRITE_IT,
    );
    return null;
  }
}

const WRITE_IT =
  "Expressions may use the columns of the table and built-in functions; others by schema: shop.price(amount). Neither aggregates, windows nor subqueries.";

/** Every function of the name is volatile; or it tells the time or who asks. */
async function changingFunctions(session: Session, expressions: readonly string[]): Promise<string[]> {
  const called = [...new Set(expressions.flatMap(functionsOf))];
  const rows = await session.query<{ name: string }>(
    sql(
      "catalog.volatile",
      `select p.proname::text as name from pg_proc p where p.proname = any ($1::text[]) group by 1 having bool_and(p.provolatile = 'v')`,
      [called],
    ),
  );
  return [...new Set([...called.filter((name) => CHANGING.has(name)), ...rows.map(({ name }) => name)])];
}

const CHANGING = new Set([
  "now",
  "transaction_timestamp",
  "statement_timestamp",
  "current_date",
  "current_time",
  "current_timestamp",
  "localtime",
  "localtimestamp",
  "current_user",
  "session_user",
  "user",
  "current_setting",
]);

/** Of a computed column only the type counts; whether the target takes it, its own column says. */
function columnOf(name: string, type: TypeRow): Column {
  return {
    name,
    number: 0,
    type: type.name,
    typeOid: type.oid,
    typeKind: "b",
    baseType: type.name,
    baseTypeOid: type.oid,
    elementTypeOid: type.len === -1 ? type.elem : 0,
    shapeKind: "b",
    portableType: type.name,
    caseLanguage: null,
    enumLabels: null,
    fields: null,
    length: type.len,
    collation: null,
    collationDeterministic: true,
    notNull: false,
    defaultExpression: null,
    identity: "",
    generated: "",
  };
}
