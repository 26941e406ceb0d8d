import { BucardoError } from "../model/error.ts";
import { displayName } from "../model/name.ts";
import type { Careful } from "./careful.ts";
import { faultError, inTable, keyText } from "./data-fault.ts";
import type { Member } from "./member.ts";
import type { TableLink } from "./table-link.ts";

/** So many rows of a table may be set aside for one target; more is no matter of single rows. */
export const MOST_SET_ASIDE = 1000;

export type Refusal = {
  readonly careful: Careful;
  readonly target: Member;
  readonly link: TableLink;
  readonly captured: number;
  /** Rows of the table that are set aside already. */
  readonly held: number;
  readonly key: readonly string[];
  readonly column: string | null;
  readonly error: unknown;
};

/** Sets the row aside where the sync wants that; it then counts as no row done. Else the error, with its key. */
export function refuseRow(refusal: Refusal): number {
  const { careful, captured, key } = refusal;
  const fault = rowFault(refusal);
  if (careful.policy !== "set_aside") throw fault;
  if (refusal.held + careful.refused.filter((row) => row.captured === captured).length >= MOST_SET_ASIDE) throw tooMany(refusal, fault);
  careful.refused.push({ captured, key, sqlstate: fault.details.sqlstate ?? "", message: fault.message });
  return 0;
}

export function rowFault({ careful, target, link, key, column, error }: Refusal): BucardoError {
  const place = { db: target.session.name, table: displayName(link.name), sync: careful.sync };
  const columns = link.source.key.map(({ name }) => name);
  return faultError(inTable(error, place.table), { ...place, key: keyText(columns, key), column });
}

function tooMany({ careful, target, link }: Refusal, fault: BucardoError): BucardoError {
  const table = displayName(link.name);
  return new BucardoError("set-aside-full", `more than ${MOST_SET_ASIDE} rows of ${table} cannot be written on ${target.session.name}`, {
    ...fault.details,
    db: target.session.name,
    table,
    sync: careful.sync,
    advice: `The last one: ${fault.message} Mend the cause, then \`bucardo replay ${careful.sync} all\`; or \`bucardo discard ${careful.sync} all\` gives the rows up.`,
    cause: fault,
  });
}
