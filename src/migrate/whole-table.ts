import { carriedColumns } from "../catalog/compare.ts";
import { readTables } from "../catalog/table.ts";
import { BucardoError } from "../model/error.ts";
import { displayName, type QualifiedName } from "../model/name.ts";
import { copyBetween } from "../postgres/copy.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";

export type WholeTable = { readonly name: QualifiedName; readonly columns: string; readonly only: string };

/** Tables that nobody captures, looked up before the window. Errors: schema-mismatch. */
export async function prepareWholeTables(source: Session, target: Session, names: readonly QualifiedName[]): Promise<WholeTable[]> {
  const [here, there] = [await readTables(source, names, { bounds: false }), await readTables(target, names, { bounds: false })];
  return names.map((name) => {
    const [from, to] = [here.get(displayName(name)), there.get(displayName(name))];
    if (from === undefined || to === undefined)
      throw new BucardoError(
        "schema-mismatch",
        `${displayName(name)} does not exist on ${from === undefined ? source.name : target.name}`,
        {
          table: displayName(name),
        },
      );
    const columns = carriedColumns(from, to).map(quoteIdent).join(", ");
    return { name, columns, only: from.kind === "partitioned" ? "" : "only " };
  });
}

/** While nobody writes: what is there goes, and everything comes, in one transaction of the target. Returns rows. */
export async function copyWholeTable(
  source: Session,
  target: Session,
  { name, columns, only }: WholeTable,
  signal: AbortSignal,
): Promise<number> {
  return transaction(target, {}, async () => {
    await target.execute(sql("migrate.empty-whole-table", `delete from ${only}${quoteName(name)}`));
    const { rows } = await copyBetween({
      from: source,
      fromText: sql("migrate.read-whole-table", `copy (select ${columns} from ${only}${quoteName(name)}) to stdout`),
      to: target,
      toText: sql("migrate.fill-whole-table", `copy ${quoteName(name)} (${columns}) from stdin`),
      signal,
    });
    return rows;
  });
}
