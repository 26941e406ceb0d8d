import { displayName } from "../model/name.ts";
import { BucardoError } from "../model/error.ts";
import { constraintOf, sqlstateOf } from "../postgres/failure.ts";
import { quoteIdent, quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { insertText } from "./apply-text.ts";
import { MOST_SET_ASIDE, rowFault, type Refusal } from "./careful-row.ts";
import { attempt, oneRow } from "./sift.ts";
import { keyInSource } from "./table-link.ts";
import { readUniqueIndex, type UniqueIndex } from "./unique-index.ts";

const IN_THE_WAY = new Set(["23505", "23P01"]);

/** Images of rows that had to give way: in a run so many bytes at most, as they pass through this process. */
const LARGEST_IMAGE = 65_536;
const MOST_IMAGES = 16 * 1024 * 1024;

/**
 * on_error = overwrite. Deletes the rows of the target that hold a unique value of the staged row, or exclude it, and writes the row. Only rows that
 * the source does not have: one that it has would be missed on the target, and no change would bring it back. Errors: data-rejected with the row's key.
 */
export async function makeRoom(source: Session, refusal: Refusal, stage: string, ctid: string): Promise<number> {
  const { target, link, careful } = refusal;
  for (let { error } = refusal; ;) {
    const constraint = constraintOf(error);
    const index = IN_THE_WAY.has(sqlstateOf(error) ?? "") && constraint !== null ? await readUniqueIndex(target.session, constraint) : null;
    if (index === null) throw rowFault({ ...refusal, error });
    const victims = await findVictims(refusal, index, stage, ctid);
    if (victims.length === 0) throw rowFault({ ...refusal, error });
    if (await anyOnSource(source, refusal, victims)) throw bothOnSource(refusal, error);
    careful.overwritten.push(...(await deleteVictims({ ...refusal, error }, index, victims)));
    if (careful.overwritten.length > MOST_SET_ASIDE) throw rowFault({ ...refusal, error });
    try {
      return await attempt(target.session, insertText(link, oneRow(stage, ctid)));
    } catch (failure) {
      error = failure;
    }
  }
}

type Victim = { readonly ctid: string; readonly key: string[] };

/** The row as the index sees it, beside the rows of the target that the index holds against it. */
async function findVictims({ target, link }: Refusal, index: UniqueIndex, stage: string, ctid: string): Promise<Victim[]> {
  const columns = link.columns.map((column, position) => `s.c${position + 1} as ${quoteIdent(column.name)}`);
  const values = index.parts.map(({ expression }, position) => `(${expression}) as bucardo_value_${position + 1}`);
  const same = index.parts.map(({ expression, operator, collate }, position) => {
    const [there, here] = [`(${expression})${collate}`, `n.bucardo_value_${position + 1}${collate}`];
    const equal = `${there} ${operator} ${here}`;
    return index.nullsEqual ? `(${equal} or ((${expression}) is null and ${here} is null))` : equal;
  });
  const key = link.target.key.map((column) => `t.${quoteIdent(column.name)}::text`);
  return target.session.query<Victim>(
    sql(
      "replicate.find-in-the-way",
      `select t.ctid::text as ctid, array[${key.join(", ")}] as key
         from only ${quoteName(index.table)} t,
              (select ${values.join(", ")} from (select ${columns.join(", ")} from ${oneRow(stage, ctid)} s) staged) n
        where ${[...same, ...(index.predicate === null ? [] : [index.predicate])].join(" and ")}`,
    ),
  );
}

async function anyOnSource(source: Session, { link }: Refusal, victims: readonly Victim[]): Promise<boolean> {
  const keyOf = keyInSource(link);
  const on = link.source.key.map((column, index) => `${keyOf[index]} ${column.equals} (v.key->>${index})::${column.type}`);
  const { there } = await source.one<{ there: boolean }>(
    sql(
      "replicate.has-in-the-way",
      `select exists (select from json_array_elements($1::json) v (key), ${link.source.from} where ${on.join(" and ")}) as there`,
      [JSON.stringify(victims.map(({ key }) => key))],
    ),
  );
  return there;
}

async function deleteVictims({ target, captured, careful, error }: Refusal, index: UniqueIndex, victims: readonly Victim[]) {
  const images = careful.overwritten.reduce((sum, { image }) => sum + (image?.length ?? 0), 0);
  const rows = await target.session.query<{ ctid: string; image: string | null }>(
    sql(
      "replicate.delete-in-the-way",
      `with t as (delete from only ${quoteName(index.table)} t where ctid = any ($1::tid[]) returning t.ctid, t)
       select t.ctid::text as ctid, case when pg_column_size(t.t) <= $2 then row_to_json(t.t)::text end as image from t`,
      [victims.map(({ ctid }) => ctid), images > MOST_IMAGES ? 0 : LARGEST_IMAGE],
    ),
  );
  const message = `had to give way to another row (${index.name})`;
  return rows.map(({ ctid, image }) => ({
    captured,
    key: victims.find((victim) => victim.ctid === ctid)!.key,
    sqlstate: sqlstateOf(error) ?? "",
    message,
    image,
  }));
}

function bothOnSource(refusal: Refusal, error: unknown): BucardoError {
  const { target, link, careful } = refusal;
  const fault = rowFault({ ...refusal, error });
  return new BucardoError(fault.code, fault.message, {
    ...fault.details,
    advice:
      `The source has both rows of ${displayName(link.name)}, so neither is overwritten: drop the constraint on ${target.session.name}, or change one of ` +
      `the rows on the source. \`bucardo update sync ${careful.sync} on_error=set_aside\` sets one of them aside and goes on.`,
  });
}
