import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { RELATION_COLUMNS, type RelationRow } from "./relation.ts";

export type RelgroupMember = RelationRow & { readonly priority: number };

/** Members in the order they are replicated: priority (high first), then schema and name. */
export type Relgroup = { readonly name: string; readonly members: readonly RelgroupMember[] };

export async function readRelgroups(session: Session): Promise<Relgroup[]> {
  const rows = await session.query<{ relgroup: string; id: number | null } & Omit<RelgroupMember, "id">>(
    sql(
      "control.relgroup-read-all",
      `select g.name as relgroup, ${RELATION_COLUMNS}, m.priority
         from bucardo.relgroup g
         left join bucardo.relgroup_member m on m.relgroup = g.name
         left join bucardo.relation r on r.id = m.relation
        order by g.name, m.priority desc, r.schema_name, r.relation_name`,
    ),
  );
  const groups = new Map<string, RelgroupMember[]>();
  for (const { relgroup, id, ...member } of rows) {
    const members = groups.get(relgroup) ?? [];
    if (id !== null) members.push({ id, ...member });
    groups.set(relgroup, members);
  }
  return [...groups].map(([name, members]) => ({ name, members }));
}

export async function findRelgroup(session: Session, name: string): Promise<Relgroup | null> {
  return (await readRelgroups(session)).find((group) => group.name === name) ?? null;
}

/** @throws BucardoError unknown-object */
export async function readRelgroup(session: Session, name: string): Promise<Relgroup> {
  const found = await findRelgroup(session, name);
  if (found === null)
    throw new BucardoError("unknown-object", `Unknown relgroup "${name}".`, {
      advice: "`bucardo list relgroups` shows the existing ones.",
    });
  return found;
}

export async function insertRelgroup(session: Session, name: string): Promise<void> {
  await session.execute(sql("control.relgroup-insert", "insert into bucardo.relgroup (name) values ($1)", [name]));
}

export async function renameRelgroup(session: Session, name: string, newName: string): Promise<void> {
  await session.execute(sql("control.relgroup-rename", "update bucardo.relgroup set name = $2 where name = $1", [name, newName]));
}

export async function deleteRelgroup(session: Session, name: string): Promise<void> {
  await session.execute(sql("control.relgroup-delete", "delete from bucardo.relgroup where name = $1", [name]));
}

/** New members; the priority of those that are members already changes. */
export async function putRelgroupMembers(
  session: Session,
  relgroup: string,
  relations: readonly number[],
  priority: number,
): Promise<void> {
  await session.execute(
    sql(
      "control.relgroup-member-put",
      `insert into bucardo.relgroup_member (relgroup, relation, priority) select $1, r, $3 from unnest($2::bigint[]) r
       on conflict (relgroup, relation) do update set priority = excluded.priority`,
      [relgroup, relations, priority],
    ),
  );
}

export async function deleteRelgroupMember(session: Session, relgroup: string, relation: number): Promise<void> {
  await session.execute(
    sql("control.relgroup-member-delete", "delete from bucardo.relgroup_member where relgroup = $1 and relation = $2", [
      relgroup,
      relation,
    ]),
  );
}
