import { quoteIdent } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

type Grant = { readonly grantee: string | null; readonly privilege: string; readonly grantable: boolean };
type Rights = { readonly oid: number; readonly owner: string; readonly acl: string | null; readonly grants: readonly Grant[] };

/**
 * Gives large objects of the target the owner and the grants that they have on the source: pg_dump's structure speaks of none, and made by us they would be
 * closed to the application. Roles that the target does not know are left out. Only for superusers; for others everything there belongs to them.
 */
export async function carryRights(source: Session, target: Session, oids: readonly number[]): Promise<void> {
  const here = await readRights(source, oids);
  const there = new Map((await readRights(target, oids)).map((rights) => [rights.oid, rights]));
  const differing = here.filter(({ oid, owner, acl }) => {
    const now = there.get(oid);
    return now !== undefined && (now.owner !== owner || now.acl !== acl);
  });
  if (differing.length === 0) return;
  const { superuser, roles } = await target.one<{ superuser: boolean; roles: string[] }>(
    sql(
      "copy.large-object-roles",
      "select (select rolsuper from pg_roles where rolname = current_user) as superuser, array(select rolname::text from pg_roles) as roles",
    ),
  );
  if (!superuser) return;
  const known = new Set(roles);
  const text = differing.flatMap((wanted) => statements(wanted, there.get(wanted.oid)!, known));
  if (text.length > 0) await target.script(sql("copy.large-object-rights", text.join(";\n")));
}

function statements({ oid, owner, grants }: Rights, now: Rights, known: ReadonlySet<string>): string[] {
  const object = `large object ${oid}`;
  return [
    ...(known.has(owner) ? [`alter ${object} owner to ${quoteIdent(owner)}`] : []),
    ...now.grants.map(({ grantee }) => `revoke all on ${object} from ${nameOf(grantee === now.owner ? owner : grantee)}`),
    ...grants
      .filter(({ grantee }) => grantee === null || known.has(grantee))
      .map(
        ({ grantee, privilege, grantable }) =>
          `grant ${privilege} on ${object} to ${nameOf(grantee)}${grantable && grantee !== owner ? " with grant option" : ""}`,
      ),
  ];
}

function nameOf(grantee: string | null): string {
  return grantee === null ? "public" : quoteIdent(grantee);
}

async function readRights(session: Session, oids: readonly number[]): Promise<Rights[]> {
  return session.query<Rights>(
    sql(
      "copy.read-large-object-rights",
      `select oid, pg_get_userbyid(lomowner)::text as owner, lomacl::text as acl,
              coalesce((select json_agg(json_build_object('grantee', (select rolname from pg_roles r where r.oid = a.grantee), 'privilege', a.privilege_type, 'grantable', a.is_grantable))
                          from aclexplode(lomacl) a where a.grantee = 0 or exists (select from pg_roles r where r.oid = a.grantee)), '[]'::json) as grants
         from pg_largeobject_metadata where oid = any ($1::oid[])`,
      [oids],
    ),
  );
}
