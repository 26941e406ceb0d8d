import { BucardoError } from "../model/error.ts";
import type { DbgroupMember, Role } from "../model/sync.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

export type Dbgroup = { readonly name: string; readonly members: readonly DbgroupMember[] };

/** Every dbgroup with its members: sources first, then by priority (high first) and name. */
export async function readDbgroups(session: Session): Promise<Dbgroup[]> {
  const rows = await session.query<{ dbgroup: string; db: string | null; role: Role; priority: number }>(
    sql(
      "control.dbgroup-read-all",
      `select g.name as dbgroup, m.db, m.role, m.priority
         from bucardo.dbgroup g left join bucardo.dbgroup_member m on m.dbgroup = g.name
        order by g.name, m.role = 'source' desc, m.priority desc, m.db`,
    ),
  );
  const groups = new Map<string, DbgroupMember[]>();
  for (const { dbgroup, db, role, priority } of rows) {
    const members = groups.get(dbgroup) ?? [];
    if (db !== null) members.push({ db, role, priority });
    groups.set(dbgroup, members);
  }
  return [...groups].map(([name, members]) => ({ name, members }));
}

export async function findDbgroup(session: Session, name: string): Promise<Dbgroup | null> {
  return (await readDbgroups(session)).find((group) => group.name === name) ?? null;
}

/** @throws BucardoError unknown-object */
export async function readDbgroup(session: Session, name: string): Promise<Dbgroup> {
  const found = await findDbgroup(session, name);
  if (found === null)
    throw new BucardoError("unknown-object", `Unknown dbgroup "${name}".`, { advice: "`bucardo list dbgroups` shows the existing ones." });
  return found;
}

export async function insertDbgroup(session: Session, name: string): Promise<void> {
  await session.execute(sql("control.dbgroup-insert", "insert into bucardo.dbgroup (name) values ($1)", [name]));
}

export async function renameDbgroup(session: Session, name: string, newName: string): Promise<void> {
  await session.execute(sql("control.dbgroup-rename", "update bucardo.dbgroup set name = $2 where name = $1", [name, newName]));
}

export async function deleteDbgroup(session: Session, name: string): Promise<void> {
  await session.execute(sql("control.dbgroup-delete", "delete from bucardo.dbgroup where name = $1", [name]));
}

/** Adds a member, or changes its role and priority. */
export async function putDbgroupMember(session: Session, dbgroup: string, member: DbgroupMember): Promise<void> {
  await session.execute(
    sql(
      "control.dbgroup-member-put",
      `insert into bucardo.dbgroup_member (dbgroup, db, role, priority) values ($1, $2, $3, $4)
       on conflict (dbgroup, db) do update set role = excluded.role, priority = excluded.priority`,
      [dbgroup, member.db, member.role, member.priority],
    ),
  );
}

export async function deleteDbgroupMember(session: Session, dbgroup: string, db: string): Promise<void> {
  await session.execute(
    sql("control.dbgroup-member-delete", "delete from bucardo.dbgroup_member where dbgroup = $1 and db = $2", [dbgroup, db]),
  );
}
