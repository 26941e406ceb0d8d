import { findRelgroup, insertRelgroup, putRelgroupMembers } from "../../control/relgroup.ts";
import type { RelationRow } from "../../control/relation.ts";
import { BucardoError } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import type { Session } from "../../postgres/session.ts";
import { nameProblem } from "../db/draft.ts";

/** Puts relations into a relgroup, which is made when it is missing. All of its relations must be of one database. */
export async function joinRelgroup(control: Session, group: string, relations: readonly RelationRow[]): Promise<string[]> {
  const messages: string[] = [];
  const existing = await findRelgroup(control, group);
  if (existing === null) {
    const problem = nameProblem("relgroup", group);
    if (problem !== null) throw new BucardoError("bad-value", `${problem.what}.`, { advice: problem.remedy });
    await insertRelgroup(control, group);
    messages.push(`Created the relgroup named "${group}"`);
  }
  const members = existing?.members ?? [];
  const stranger = members.find((member) => relations.some((relation) => relation.db !== member.db));
  if (stranger !== undefined) {
    throw new BucardoError(
      "bad-value",
      `The tables of relgroup "${group}" are of database "${stranger.db}"; those of another cannot join it.`,
      {
        advice: `Use db=${stranger.db}, or another relgroup. Nothing was changed.`,
      },
    );
  }
  const isMember = (relation: RelationRow): boolean => members.some((member) => member.id === relation.id);
  const joining = relations.filter((relation) => !isMember(relation));
  await putRelgroupMembers(
    control,
    group,
    joining.map(({ id }) => id),
    0,
  );
  messages.push(...section(`The following tables or sequences are now part of the relgroup "${group}":`, joining));
  messages.push(...section(`The following tables or sequences were already in the relgroup "${group}":`, relations.filter(isMember)));
  return messages;
}

/** A title and one indented line for each; nothing for none. */
export function section(title: string, relations: readonly RelationRow[]): string[] {
  return relations.length === 0 ? [] : [title, ...relations.map((relation) => `  ${displayName(relation)}`)];
}
