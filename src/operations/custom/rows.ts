import { readCustoms } from "../../control/custom.ts";
import { readRelations, type RelationRow } from "../../control/relation.ts";
import { readSyncs } from "../../control/sync.ts";
import { BucardoError } from "../../model/error.ts";
import type { Custom, CustomKind } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import { KINDS } from "./kind.ts";

export type CustomRow = Custom & { readonly table: RelationRow; readonly syncName: string | null };

/** All of a kind, with the tables and syncs they belong to. */
export async function readCustomRows(control: Session, kind: CustomKind): Promise<CustomRow[]> {
  const relations = new Map((await readRelations(control)).map((relation) => [relation.id, relation]));
  const syncs = new Map((await readSyncs(control)).map((sync) => [sync.id, sync.name]));
  return (await readCustoms(control))
    .filter((custom) => custom.kind === kind)
    .map((custom) => ({
      ...custom,
      table: relations.get(custom.relation)!,
      syncName: custom.sync === null ? null : (syncs.get(custom.sync) ?? null),
    }));
}

/** Those with these numbers, as `list` shows them. @throws BucardoError unknown-object */
export async function chooseCustoms(control: Session, kind: CustomKind, words: readonly string[]): Promise<CustomRow[]> {
  const rows = await readCustomRows(control, kind);
  const wanted = words.flatMap((word) => word.split(",")).filter((word) => word !== "");
  const unknown = wanted.filter((word) => !rows.some(({ id }) => String(id) === word));
  const { noun, plural } = KINDS[kind];
  if (unknown.length > 0)
    throw new BucardoError("unknown-object", `There is no ${noun} with the number ${unknown.join(", ")}.`, {
      advice: `\`bucardo list ${plural}\` shows them with their numbers. Nothing was changed.`,
    });
  return rows.filter(({ id }) => wanted.includes(String(id)));
}
