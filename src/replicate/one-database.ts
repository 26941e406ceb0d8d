import { randomInt } from "node:crypto";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";

/**
 * Whether two sessions are in one database, by whatever addresses they came there. Numbers alone do not tell: a server whose files were copied has the system
 * identifier of the first one, and its databases have the same numbers. So the one takes a lock, and the other looks for it.
 */
export async function isOneDatabase(one: Session, other: Session): Promise<boolean> {
  if ((await numbersOf(one)) !== (await numbersOf(other))) return false;
  // A lock that nobody else has.
  const [high, low] = [randomInt(2 ** 31), randomInt(2 ** 31)];
  return transaction(one, {}, async () => {
    await one.query(sql("identity.show-lock", `select pg_catalog.pg_advisory_xact_lock(${high}, ${low})`));
    const { seen } = await other.one<{ seen: boolean }>(
      sql(
        "identity.see-lock",
        `select exists (select from pg_catalog.pg_locks
                         where locktype = 'advisory' and classid = ${high} and objid = ${low} and granted and database = (${OWN_NUMBER})) as seen`,
      ),
    );
    return seen;
  });
}

const OWN_NUMBER = "select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()";

/** Of server and database; a connection cannot change them. */
const known = new WeakMap<Session, string>();

async function numbersOf(session: Session): Promise<string> {
  const there = known.get(session);
  if (there !== undefined) return there;
  const { numbers } = await session.one<{ numbers: string }>(
    sql("identity.numbers", `select (select system_identifier from pg_catalog.pg_control_system()) || '/' || (${OWN_NUMBER}) as numbers`),
  );
  known.set(session, numbers);
  return numbers;
}
