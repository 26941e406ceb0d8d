import { readFile } from "node:fs/promises";
import { ROLE } from "../control/install.ts";
import { BucardoError } from "../model/error.ts";
import { quoteLiteral } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { prepared, sql, type Statement } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { CAPTURE_ROLE, LOCK_CAPTURE, LOCK_CLASS } from "./name.ts";

/** Version of sql/capture that this program brings and understands. */
export const CAPTURE_VERSION = 2;

const FILES = ["0001-initial.sql", "0002-several-sources.sql"];

/** Holds for the rest of the transaction; two installers, purgers or fences never meet (hazard 11). */
export async function lockCapture(source: Session): Promise<void> {
  await source.query(lockStatement());
}

/** To be asked together with other things. */
export function lockStatement(): Statement {
  return sql("capture.lock", `select pg_advisory_xact_lock(${LOCK_CLASS}, ${LOCK_CAPTURE})`);
}

/** Version of our schema on this source; 0 when there is none. Errors: in-use (what is there is not ours). */
export async function captureVersion(source: Session): Promise<number> {
  const { schema, table } = await readOwners(source);
  if (table === null) return 0;
  if (!schema || !table) throw squatted(source);
  const { version } = await source.one<{ version: number }>(prepared("capture.version", "select version from bucardo.capture"));
  return version;
}

/**
 * Whether what is called bucardo here is in trusted hands: ours, a superuser's, the role's that owns
 * control databases, or a role's that we belong to. Null: not there. Who may create a schema
 * could put a view in the place of our table, and what a superuser selects from it runs with a superuser's rights (hazard 16).
 */
async function readOwners(source: Session): Promise<{ schema: boolean | null; table: boolean | null }> {
  const trusted = (
    role: string,
  ) => `(select r.rolsuper or r.oid = me.oid or r.rolname = ${quoteLiteral(ROLE)} or not me.rolsuper and pg_has_role(r.oid, 'member')
                                        from pg_roles r, pg_roles me where r.oid = ${role} and me.rolname = current_user)`;
  const [found] = await source.query<{ schema: boolean; table: boolean | null }>(
    prepared(
      "capture.owners",
      `select ${trusted("n.nspowner")}
              and not exists (select from aclexplode(n.nspacl) a
                               where a.privilege_type = 'CREATE' and a.grantee <> n.nspowner and ${trusted("a.grantee")} is not true) as schema,
              (select c.relkind = 'r' and ${trusted("c.relowner")} from pg_class c where c.relnamespace = n.oid and c.relname = 'capture') as table
         from pg_namespace n where n.nspname = 'bucardo'`,
    ),
  );
  return found ?? { schema: null, table: null };
}

function squatted(source: Session): BucardoError {
  return new BucardoError(
    "in-use",
    `schema bucardo of database ${source.name} belongs to somebody whom we cannot trust with it, or others may create in it`,
    {
      db: source.name,
      advice:
        "Look who made it. When nobody needs it: drop schema bucardo cascade; else let the role that we connect as own it and all in it.",
    },
  );
}

/** Makes schema bucardo with our tables on a source, once; harmless when it is there. Errors: permission-denied, schema-newer. */
export async function ensureCaptureSchema(source: Session): Promise<void> {
  await transaction(source, {}, async () => {
    await lockCapture(source);
    const version = await captureVersion(source);
    if ((await readOwners(source)).schema === false) throw squatted(source);
    if (version > CAPTURE_VERSION) {
      throw new BucardoError(
        "schema-newer",
        `database ${source.name} carries capture objects of a newer Bucardo (version ${version}, ours is ${CAPTURE_VERSION})`,
        { db: source.name },
      );
    }
    for (const file of FILES.slice(version)) {
      await source.script(sql("capture.schema", await readFile(new URL(`../../sql/capture/${file}`, import.meta.url), "utf8")));
    }
    if (version === 0) {
      await source.execute(sql("capture.set-version", "insert into bucardo.capture (version) values ($1)", [CAPTURE_VERSION]));
      await ensureCaptureRole(source);
    } else if (version < CAPTURE_VERSION) {
      await source.execute(sql("capture.raise-version", "update bucardo.capture set version = $1", [CAPTURE_VERSION]));
    }
  });
}

const current = new WeakSet<Session>();

/** Brings what an older program of ours has installed up to this one's; asked once per connection. Does nothing where nothing is installed. */
export async function upgradeCapture(session: Session): Promise<void> {
  if (current.has(session)) return;
  const version = await captureVersion(session);
  if (version > 0 && version < CAPTURE_VERSION) await ensureCaptureSchema(session);
  if (version > 0) current.add(session);
}

/** A superuser's trigger functions would run with all rights; give them an owner who can only add deltas. Others own them themselves. */
async function ensureCaptureRole(source: Session): Promise<void> {
  if (!(await isSuperuser(source))) return;
  // Roles belong to the whole server: another database of it may be captured for the first time right now.
  await source.script(
    sql(
      "capture.create-role",
      `do $$ begin
         if to_regrole('${CAPTURE_ROLE}') is null then create role ${CAPTURE_ROLE} nologin noinherit; end if;
       exception when duplicate_object or unique_violation then null;
       end $$`,
    ),
  );
  await source.script(
    sql(
      "capture.grant-role",
      `grant usage on schema bucardo to ${CAPTURE_ROLE}; grant insert on bucardo.truncation to ${CAPTURE_ROLE};
         grant select on bucardo.capture, bucardo.fence_until to ${CAPTURE_ROLE}`,
    ),
  );
}

export async function isSuperuser(session: Session): Promise<boolean> {
  const { superuser } = await session.one<{ superuser: boolean }>(
    sql("session.is-superuser", "select rolsuper as superuser from pg_roles where rolname = current_user"),
  );
  return superuser;
}

/** True when the trigger functions of this source belong to the role that can only add deltas. */
export async function usesCaptureRole(source: Session): Promise<boolean> {
  if (!(await isSuperuser(source))) return false;
  const [role] = await source.query(sql("capture.role-exists", "select from pg_roles where rolname = $1", [CAPTURE_ROLE]));
  return role !== undefined;
}
