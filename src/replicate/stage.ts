import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import { quoteIdent } from "../postgres/quote.ts";
import { sql } from "../postgres/sql.ts";
import type { TableLink } from "./table-link.ts";
import type { Member } from "./member.ts";

/** The server empties all of a session's stages at each commit, so not more than these outlive the run that needed them. */
const MOST_STAGES = 64;

/**
 * The TEMP table that rows of one table land in before they are applied: made once per connection, emptied by the server at commit, and gone with the
 * connection, so that nothing of ours is ever left on a target. Columns: gone, c1 .. cn in the order of the link; of a table that is told on also when
 * and by which databases the change came.
 */
export async function ensureStage(target: Member, captured: number, link: TableLink): Promise<string> {
  refuseTooWide(target, link);
  const name = stageName(captured);
  const columns = [
    ...link.columns.map((column, index) => `c${index + 1} ${column.stageType}`),
    ...stampsOf(link).map(({ name: stamp, type }) => `${stamp} ${type}`),
  ];
  const text = `create temp table ${name} (gone boolean, ${columns.join(", ")}) on commit delete rows`;
  if (target.stages.get(captured) !== text) {
    await target.session.script(sql("replicate.stage", `drop table if exists ${name}; ${text}`));
    target.stages.set(captured, text);
  }
  target.staged.add(captured);
  return name;
}

const STAMPS = [
  { name: "at", type: "timestamptz" },
  { name: "via", type: "text[]" },
] as const;

/** What rows of a table that is told on have behind their columns. */
export function stampsOf(link: Pick<TableLink, "relays">): readonly (typeof STAMPS)[number][] {
  return link.relays.length === 0 ? [] : STAMPS;
}

/** Of PostgreSQL, for any table. */
const MOST_COLUMNS = 1600;

function refuseTooWide(target: Member, link: TableLink): void {
  if (link.columns.length < MOST_COLUMNS) return;
  const table = displayName(link.name);
  throw new BucardoError(
    "not-supported",
    `${table} has ${link.columns.length} columns: changes of at most ${MOST_COLUMNS - 1} can be carried`,
    {
      db: target.session.name,
      table,
      advice: "Drop a column, or copy the table whole with onetimecopy=1.",
    },
  );
}

/** To be called as a run begins: of too many stages those go that the run before did not use. */
export async function trimStages(target: Member): Promise<void> {
  const idle = [...target.stages.keys()].filter((captured) => !target.staged.has(captured));
  const excess = idle.slice(0, Math.max(0, target.stages.size - MOST_STAGES));
  if (excess.length > 0) {
    await target.session.script(sql("replicate.drop-stages", `drop table if exists ${excess.map(stageName).join(", ")}`));
    for (const captured of excess) target.stages.delete(captured);
  }
  target.staged.clear();
}

function stageName(captured: number): string {
  return `pg_temp.${quoteIdent(`bucardo_stage_${captured}`)}`;
}

/** A rolled back transaction takes the stages made in it along. */
export function forgetStages(target: Member): void {
  target.stages.clear();
}
