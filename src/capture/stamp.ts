import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { deltaTable } from "./name.ts";
import { lockCapture } from "./schema.ts";

/**
 * Gives the delta tables of captured tables the two columns that tell when and by which databases a change came; null: of all. Without a rewrite, and
 * the trigger functions stay as they are. Writers wait for a moment at most. Errors: lock-timeout (nothing changed).
 */
export async function stampDeltas(session: Session, captured: readonly number[] | null = null): Promise<void> {
  const plain = await unstamped(session, captured);
  for (const id of plain) {
    await transaction(session, {}, async () => {
      await lockCapture(session);
      await session.script(sql("capture.stamp-timeout", "set local lock_timeout = '2s'"));
      const generations = await session.query<{ generation: number }>(
        sql(
          "capture.unstamped-generations",
          `select g.generation from bucardo.generation g
            where g.captured_table = $1
              and not exists (select from pg_attribute a where a.attrelid = g.delta and a.attname = 'via' and not a.attisdropped)`,
          [id],
        ),
      );
      for (const { generation } of generations) {
        const delta = quoteName(deltaTable(id, generation));
        // The default in a statement of its own: it is for what comes, and makes no new file.
        const text = `alter table ${delta} add column at timestamptz, add column via text[]; alter table ${delta} alter column at set default pg_catalog.clock_timestamp()`;
        await session.script(sql("capture.stamp", text));
      }
      await session.execute(sql("capture.mark-stamped", "update bucardo.captured_table set stamped = true where id = $1", [id]));
    });
  }
}

async function unstamped(session: Session, captured: readonly number[] | null): Promise<number[]> {
  const rows = await session.query<{ id: number }>(
    sql(
      "capture.unstamped",
      "select id from bucardo.captured_table where not stamped and ($1::int[] is null or id = any ($1::int[])) order by id",
      [captured],
    ),
  );
  return rows.map(({ id }) => id);
}
