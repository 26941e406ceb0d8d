import { parseRole, type Database, type Role } from "../../model/sync.ts";
import type { Report } from "../report.ts";

export type MemberWord = { readonly db: string; readonly role: Role | null; readonly priority: number };

/** `A`, `A:source`, `A:target:pri=2`, and `A=2` (a priority) of version 4. */
export function readMemberWords(words: readonly string[], databases: readonly Pick<Database, "name">[], wrong: Report): MemberWord[] {
  return words.map((word) => {
    const old = /^([^:=]+)=(-?\d+)$/.exec(word);
    if (old !== null) return known({ db: old[1] ?? "", role: null, priority: Number(old[2]) });
    const [db = "", ...parts] = word.split(":");
    const priority = parts.find((part) => /^pri(ority)?=/i.test(part))?.split("=")[1] ?? "0";
    const roleWord = parts.find((part) => !part.includes("=") && part !== "");
    const role = roleWord === undefined ? null : parseRole(roleWord);
    if (roleWord !== undefined && role === null) wrong(`"${roleWord}" is no role`, "Roles are source and target.");
    if (!/^-?\d+$/.test(priority)) wrong(`"${priority}" is no priority`, "Give a whole number.");
    return known({ db, role, priority: Number(priority) });
  });

  function known(member: MemberWord): MemberWord {
    if (!databases.some((database) => database.name === member.db))
      wrong(`Unknown database "${member.db}"`, "`bucardo list dbs` shows the registered ones.");
    return member;
  }
}
