import { quoteIdent } from "../postgres/quote.ts";
import { sql } from "../postgres/sql.ts";
import type { TableLink } from "./link.ts";
import type { Member } from "./member.ts";

/** The server empties all of a session's stages at each commit, so there must not be thousands. */
const MOST_STAGES = 64;

/**
 * The TEMP table that rows of one table land in before they are applied: made once per connection, emptied by the server at commit, and gone with the
 * connection, so that nothing of ours is ever left on a target. Columns: gone, c1 .. cn in the order of the link.
 */
export async function ensureStage(target: Member, captured: number, link: TableLink): Promise<string> {
  const name = stageName(captured);
  const text = `create temp table ${name} (gone boolean, ${link.columns.map((column, index) => `c${index + 1} ${column.stageType}`).join(", ")}) on commit delete rows`;
  const there = target.stages.get(captured);
  if (there === text) {
    target.stages.delete(captured);
    target.stages.set(captured, text);
    return name;
  }
  const oldest = target.stages.size >= MOST_STAGES ? target.stages.keys().next().value : undefined;
  if (oldest !== undefined) target.stages.delete(oldest);
  target.stages.delete(captured);
  const drop = [name, ...(oldest === undefined ? [] : [stageName(oldest)])].map((stage) => `drop table if exists ${stage};`).join(" ");
  await target.session.script(sql("replicate.stage", `${drop} ${text}`));
  target.stages.set(captured, text);
  return name;
}

function stageName(captured: number): string {
  return `pg_temp.${quoteIdent(`bucardo_stage_${captured}`)}`;
}

/** A rolled back transaction takes the stages made in it along. */
export function forgetStages(target: Member): void {
  target.stages.clear();
}
