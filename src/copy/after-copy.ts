import type { CopyPolicy } from "../model/sync.ts";
import type { QualifiedName } from "../model/name.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** A table that was filled anew, and what is to follow. `leaves` of the whole copy only: what a copy of single tables is followed by does not block anybody. */
export type Filled = {
  readonly name: QualifiedName;
  readonly policy: Pick<CopyPolicy, "analyze" | "vacuum">;
  readonly leaves?: readonly QualifiedName[];
};

/**
 * Statistics and visibility of tables that were filled anew, and their indexes where `leaves` names the tables that hold them: all by the server's own commands,
 * each in a transaction of its own, after the rows were committed. Rebuilt beside the old index from 12 on (REINDEX CONCURRENTLY), so that readers go on. What our
 * user may not do is left undone; `told` hears why.
 */
export async function afterCopy(target: Session, tables: readonly Filled[], told: (error: unknown) => void): Promise<void> {
  const run = async (name: string, text: string): Promise<void> => {
    await target.script(sql(name, text)).catch((error: unknown) => {
      if (target.lost.aborted) throw error;
      told(error);
    });
  };
  const concurrently = target.serverVersion >= 120000 ? "concurrently " : "";
  for (const leaf of tables.flatMap(({ leaves }) => leaves ?? []))
    await run("copy.reindex", `reindex table ${concurrently}${quoteName(leaf)}`);
  for (const { name, policy } of tables) {
    if (policy.vacuum) await run("copy.vacuum", `vacuum ${policy.analyze ? "(analyze) " : ""}${quoteName(name)}`);
    else if (policy.analyze) await run("copy.analyze", `analyze ${quoteName(name)}`);
  }
}
