import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { sameKey } from "./apply-text.ts";
import type { Fetched } from "./fetch.ts";
import type { TableLink } from "./table-link.ts";

/** The table as it is read and written on the target: a parent of inheritance without its children. */
export function targetTable(link: TableLink): string {
  return `${link.target.partitioned ? "" : "only "}${quoteName(link.target.name)}`;
}

/** Byte for byte, whatever the types: json has no equality, and 1.0 and 1.00 are not the same value. */
export function sameImage(link: TableLink): string {
  const written = link.columns.map((column, index) => ({ ...column, index })).filter((column) => column.written);
  const staged = written.map(({ index }) => `s.c${index + 1}`);
  const there = written.map(({ name, stageType }) => `t.${quoteIdent(name)}::${stageType}`);
  return `row(${staged.join(", ")})::record operator(pg_catalog.*=) row(${there.join(", ")})::record`;
}

/** Takes from the stage what is on the target already. Such rows are no change there: nobody is told, nothing competes, and an echo ends. */
export async function dropSame(target: Session, { link, stage }: Fetched & { readonly stage: string }): Promise<void> {
  const table = targetTable(link);
  await target.script(
    sql(
      "replicate.drop-same",
      `delete from ${stage} s using ${table} t where not s.gone and ${sameKey(link)} and ${sameImage(link)};
       delete from ${stage} s where s.gone and not exists (select from ${table} t where ${sameKey(link)})`,
    ),
  );
}
