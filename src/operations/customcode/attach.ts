import { putCustomCodeUse } from "../../control/customcode.ts";
import { readSyncs } from "../../control/sync.ts";
import { displayName } from "../../model/name.ts";
import type { Session } from "../../postgres/session.ts";
import { chooseOrFail } from "../choose.ts";
import { chooseRelations } from "../relation/choose.ts";

export type Attachment = {
  readonly sync?: readonly string[] | undefined;
  readonly relation?: readonly string[] | undefined;
  readonly active?: boolean | undefined;
  readonly priority?: number | undefined;
};

/** Attaches code to syncs and tables; sentences for people. */
export async function attach(control: Session, code: number, name: string, given: Attachment): Promise<string[]> {
  const how = { active: given.active ?? true, priority: null };
  const lines: string[] = [];
  for (const sync of given.sync === undefined ? [] : chooseOrFail(await readSyncs(control), given.sync, "sync")) {
    await putCustomCodeUse(control, code, { sync: sync.id, ...how });
    lines.push(`Customcode "${name}" is attached to sync "${sync.name}"`);
  }
  for (const relation of given.relation === undefined ? [] : await chooseRelations(control, given.relation, "table", undefined)) {
    await putCustomCodeUse(control, code, { relation: relation.id, ...how });
    lines.push(`Customcode "${name}" is attached to table "${displayName(relation)}"`);
  }
  return lines;
}
