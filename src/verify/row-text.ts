import { chunks } from "../base/chunks.ts";
import type { Column } from "../catalog/column.ts";
import { quoteIdent } from "../postgres/quote.ts";

/** How text of values is made and hashed: the same on both sides, whatever their versions and encodings. */
export type Form = {
  /** PostgreSQL before 12 prints floats with 17 digits and later ones with the shortest that reads back: there, their bytes are taken. */
  readonly floatBytes: boolean;
  /** hashtextextended exists from 11 on; md5 takes twice as long. */
  readonly hash: "extended" | "md5";
  /** The same characters are other bytes in other encodings: text is hashed as UTF8 where the two differ. */
  readonly asUtf8: boolean;
};

type Side = { readonly serverVersion: number; readonly serverEncoding: string };

export function formOf(source: Side, target: Side): Form {
  const oldest = Math.min(source.serverVersion, target.serverVersion);
  return {
    floatBytes: oldest < 120000,
    hash: oldest < 110000 ? "md5" : "extended",
    asUtf8: source.serverEncoding !== target.serverEncoding,
  };
}

/** A value of the column as text that is equal on both sides when the value is; `source` gives the type that counts. */
export function valueText(column: Column, source: Column, form: Form): string {
  const value = `t.${quoteIdent(column.name)}`;
  // What was widened or narrowed on the way (numeric scale, character(n), time zones) is compared as the source has it.
  const typed = column.portableType !== source.portableType && isBuiltIn(source.baseType) ? `${value}::${source.baseType}` : value;
  const sender = form.floatBytes ? senders.get(source.baseType.replace(/\(.*\)/, "")) : undefined;
  if (sender) return `pg_catalog.encode(pg_catalog.${sender}(${typed}), 'hex')`;
  // Its text depends on lc_monetary.
  if (source.baseType === "money") return `${typed}::numeric::text`;
  return `${typed}::text`;
}

/** 64 bits of a text, as bigint. */
export function hashOf(text: string, form: Form): string {
  const bytes = inUtf8(text, form);
  return form.hash === "extended"
    ? `pg_catalog.hashtextextended((${bytes}) collate "C", 0)`
    : `('x' || pg_catalog.substr(pg_catalog.md5(${bytes}), 1, 16))::bit(64)::bigint`;
}

/** 32 bits of a text, as integer: the same in every version. */
export function bucketHashOf(text: string, form: Form): string {
  return `pg_catalog.hashtext((${inUtf8(text, form)}) collate "C")`;
}

/** Functions take 100 arguments at most. */
const VALUES_AT_ONCE = 90;

/** Values one after another. concat_ws leaves NULLs out, so they get a mark; neither mark nor separator is a character that texts have. */
export function joinedText(values: readonly string[]): string {
  const marked = values.map((value) => `coalesce(${value}, chr(30))`);
  if (marked.length === 1) return marked[0]!;
  const groups = [...chunks(marked, VALUES_AT_ONCE)].map((some) => `pg_catalog.concat_ws(chr(31), ${some.join(", ")})`);
  return groups.join(" || chr(31) || ");
}

function inUtf8(text: string, form: Form): string {
  return form.asUtf8 ? `pg_catalog.encode(pg_catalog.convert_to(${text}, 'UTF8'), 'hex')` : text;
}

/** Types of pg_catalog, which mean the same on both sides; others may live in other schemas. */
function isBuiltIn(type: string): boolean {
  return /^[a-z ]+(\([\d,]+\))?[a-z ]*(\[\])?$/.test(type);
}

/** Types whose text holds floats, with the function that gives their bytes. */
const senders: ReadonlyMap<string, string> = new Map([
  ["real", "float4send"],
  ["double precision", "float8send"],
  ["point", "point_send"],
  ["line", "line_send"],
  ["lseg", "lseg_send"],
  ["box", "box_send"],
  ["path", "path_send"],
  ["polygon", "poly_send"],
  ["circle", "circle_send"],
  ...["real[]", "double precision[]", "point[]", "line[]", "lseg[]", "box[]", "path[]", "polygon[]", "circle[]"].map(
    (type) => [type, "array_send"] as const,
  ),
]);
