import { displayName, type QualifiedName } from "../model/name.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

export type AnalyzeJob = {
  readonly open: () => Promise<Session>;
  /** Largest first. */
  readonly tables: readonly QualifiedName[];
  readonly jobs: number;
  readonly onTable: (table: string) => void;
};

/** Statistics do not travel: without them the first queries on the new side would be planned for empty tables. */
export async function analyzeTables({ open, tables, jobs, onTable }: AnalyzeJob): Promise<number> {
  const queue = [...tables];
  const worker = async (): Promise<void> => {
    await using session = await open();
    for (let table = queue.shift(); table !== undefined; table = queue.shift()) {
      await session.script(sql("migrate.analyze", `analyze ${quoteName(table)}`));
      onTable(displayName(table));
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, tables.length) }, worker));
  return tables.length;
}
