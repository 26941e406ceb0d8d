import { chooseKey } from "../../catalog/key.ts";
import { readTables } from "../../catalog/table.ts";
import { applyTerms } from "../../catalog/terms.ts";
import { readSelectList } from "../../model/expression.ts";
import { BucardoError } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import type { Custom, Relation } from "../../model/sync.ts";
import { transaction } from "../../postgres/transaction.ts";
import type { Context } from "../context.ts";

/** Asks the server of the table whether it takes the expressions, in a read-only transaction and without running them. Errors: bad-value, with what it says. */
export async function checkValue(context: Context, relation: Relation, { clause, kind }: Pick<Custom, "clause" | "kind">): Promise<void> {
  if (clause === null) return;
  if (relation.kind !== "table")
    throw new BucardoError("bad-value", `${displayName(relation)} is a sequence: it has neither columns nor rows to choose.`, {
      advice: "Nothing was changed.",
    });
  const session = await context.connectTo(relation.db);
  await transaction(session, { isolation: "repeatable read", readOnly: true }, async () => {
    const shape = (await readTables(session, [relation], { bounds: false })).get(displayName(relation));
    if (shape === undefined)
      return refuse(relation, [{ what: `does not exist on ${relation.db}`, remedy: "`bucardo remove table` forgets it." }]);
    const key = chooseKey(shape, relation.keyColumns)?.columns ?? [];
    const terms = { columns: kind === "columns" ? readSelectList(clause) : null, filter: kind === "filter" ? clause : null };
    refuse(relation, (await applyTerms(session, shape, key, terms)).problems);
  });
}

/** Within the transaction, which the server has broken off where it refused the text. */
function refuse(relation: Relation, problems: readonly { readonly what: string; readonly remedy: string }[]): void {
  const [first] = problems;
  if (first === undefined) return;
  throw new BucardoError("bad-value", `${displayName(relation)}: ${problems.map(({ what }) => what).join("; ")}.`, {
    db: relation.db,
    table: displayName(relation),
    advice: `${first.remedy} Nothing was changed.`,
  });
}
