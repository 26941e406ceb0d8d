import { BucardoError } from "../model/error.ts";
import { connect } from "../postgres/connect.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { rolesOfDatabase } from "../schema/roles.ts";
import type { Endpoint } from "./endpoint.ts";
import type { MadeRoles } from "./made-roles.ts";
import { readMigration, type Migration } from "./state.ts";

/** Why a role that a move made is not its to drop. */
const CLAIMED = "used by a database that was moved";

type Ends = { readonly old: Endpoint; readonly signal: AbortSignal };

/** Roles are of the whole server: where another database of the old server is moving to the same new one, they become its to drop. True when there is one. */
export async function handOver(ends: Ends, state: Session, migration: Migration, made: MadeRoles): Promise<boolean> {
  if (made.roles.length + made.memberships.length === 0) return false;
  let heir = false;
  await eachSibling(ends, state, migration, async (sibling) => {
    if (heir) return;
    heir = true;
    await sibling.execute(
      sql(
        "migrate.inherit-roles",
        `insert into bucardo.migration_object (object, outcome) select o, 'done' from pg_catalog.unnest($1::text[]) o
         on conflict (object) do update set outcome = 'done', note = null where bucardo.migration_object.note is distinct from $2`,
        [[...made.roles.map((role) => `ROLE ${role}`), ...made.memberships], CLAIMED],
      ),
    );
  });
  return heir;
}

/** What a database that stays on the new server speaks of is nobody's to drop any more, whoever made it. */
export async function claimRoles(ends: Ends, state: Session, migration: Migration): Promise<void> {
  const roles = [...(await rolesOfDatabase(state))];
  await eachSibling(ends, state, migration, async (sibling) => {
    await sibling.execute(
      sql(
        "migrate.claim-roles",
        `update bucardo.migration_object set note = $2
          where object in (select 'ROLE ' || r from pg_catalog.unnest($1::text[]) r)
             or object like 'MEMBERSHIP %' and exists (select from pg_catalog.unnest($1::text[]) r where right(object, length(r) + 4) = ' of ' || r)`,
        [roles, CLAIMED],
      ),
    );
  });
}

/** Other databases of the old server that are moving to the same new one, one after the other; those that we may not enter are left out. */
async function eachSibling(
  { old, signal }: Ends,
  state: Session,
  { targetIdentity }: Migration,
  work: (sibling: Session) => Promise<void>,
): Promise<void> {
  const names = await state.query<{ name: string }>(
    sql(
      "migrate.other-databases",
      `select datname::text as name from pg_catalog.pg_database
        where datallowconn and not datistemplate and datname <> pg_catalog.current_database() and pg_catalog.has_database_privilege(oid, 'connect') order by 1`,
    ),
  );
  for (const { name } of names) {
    try {
      await using sibling = await connect({ ...old.options, dbname: name, applicationName: "bucardo migrate siblings", signal });
      if ((await readMigration(sibling))?.targetIdentity.system === targetIdentity.system) await work(sibling);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof BucardoError)) throw error;
    }
  }
}
