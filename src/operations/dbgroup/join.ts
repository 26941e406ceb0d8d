import { findDbgroup, insertDbgroup, putDbgroupMember } from "../../control/dbgroup.ts";
import { BucardoError } from "../../model/error.ts";
import { parseRole, type Role } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import { nameProblem } from "../db/draft.ts";

/**
 * Puts databases into a group, `group` or `group:role`, making the group when it is missing. In a new group the first one
 * is the source (if `firstIsSource`), the others are targets; in an existing one all are targets; a stated role wins.
 */
export async function joinGroup(
  control: Session,
  groupWord: string,
  members: readonly { readonly db: string; readonly role: Role | null; readonly priority?: number }[],
  options: { readonly firstIsSource: boolean } = { firstIsSource: true },
): Promise<string[]> {
  const { group, role: groupRole } = splitGroup(groupWord);
  const messages: string[] = [];
  const existing = await findDbgroup(control, group);
  if (existing === null) {
    const problem = nameProblem("dbgroup", group);
    if (problem !== null) throw new BucardoError("bad-value", `${problem.what}.`, { advice: problem.remedy });
    await insertDbgroup(control, group);
    messages.push(`Created dbgroup "${group}"`);
  }
  for (const [index, { db, role, priority }] of members.entries()) {
    const wanted = role ?? groupRole ?? (existing === null && index === 0 && options.firstIsSource ? "source" : "target");
    await putDbgroupMember(control, group, { db, role: wanted, priority: priority ?? 0 });
    messages.push(`Added database "${db}" to dbgroup "${group}" as ${wanted}`);
  }
  return messages;
}

/** @throws BucardoError bad-value */
export function splitGroup(word: string): { readonly group: string; readonly role: Role | null } {
  const [group = "", roleWord] = word.split(":");
  return { group, role: roleWord === undefined ? null : roleOf(roleWord) };
}

/** @throws BucardoError bad-value, not-supported */
export function roleOf(word: string): Role {
  const role = parseRole(word);
  if (role === null) throw new BucardoError("bad-value", `"${word}" is no role.`, { advice: "Roles are source and target." });
  return role;
}
