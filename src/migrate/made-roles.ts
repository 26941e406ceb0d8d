import { BucardoError } from "../model/error.ts";
import { quoteIdent } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { readObjects, type Made } from "./state.ts";

/** What a move made on the new server as a whole, by the statements that it remembers. */
export type MadeRoles = {
  readonly roles: readonly string[];
  /** Ids of the memberships, as `planRoles` names them. */
  readonly memberships: readonly string[];
};

/** What it only found there, because somebody was quicker, is not its own. */
export async function readMadeRoles(state: Session): Promise<MadeRoles> {
  const mine = (await readObjects(state)).filter(isMine).map(({ object }) => object);
  return {
    roles: mine.flatMap((id) => (id.startsWith(ROLE) ? [id.slice(ROLE.length)] : [])),
    memberships: mine.filter((id) => id.startsWith("MEMBERSHIP ")),
  };
}

const ROLE = "ROLE ";

/** A statement of which nobody knows whether it was done counts: what it makes is then there, or not. */
function isMine({ outcome, note }: Made): boolean {
  return outcome !== "skipped" && note === null;
}

/** `server`: a session on any database of the new server. What is used by now stays, and is told. */
export async function dropMadeRoles(server: Session, { roles, memberships }: MadeRoles, onMessage: (line: string) => void): Promise<void> {
  for (const { text } of await server.query<{ text: string }>(membershipsStatement(memberships)))
    await server.script(sql("migrate.revoke-membership", text));
  for (const role of roles) {
    try {
      await server.script(sql("migrate.drop-role", `drop role if exists ${quoteIdent(role)}`));
    } catch (error) {
      // Another database of that server uses it by now.
      if (!(error instanceof BucardoError) || error.details.sqlstate === undefined) throw error;
      onMessage(`role ${role} stays: ${error.message}`);
    }
  }
}

const membershipsStatement = (ids: readonly string[]) =>
  sql(
    "migrate.memberships",
    `select distinct format('revoke %I from %I', g.rolname, m.rolname) as text
       from pg_catalog.pg_auth_members a join pg_catalog.pg_roles g on g.oid = a.roleid join pg_catalog.pg_roles m on m.oid = a.member
      where format('MEMBERSHIP %s of %s', g.rolname, m.rolname) = any ($1::text[])`,
    [ids],
  );
