import { readFile } from "node:fs/promises";
import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { CAPTURE_ROLE, LOCK_CAPTURE, LOCK_CLASS } from "./name.ts";

/** Version of sql/capture that this program brings and understands. */
export const CAPTURE_VERSION = 1;

const FILES = ["0001-initial.sql"];

/** Holds for the rest of the transaction; two installers, purgers or fences never meet (hazard 11). */
export async function lockCapture(source: Session): Promise<void> {
  await source.query(sql("capture.lock", `select pg_advisory_xact_lock(${LOCK_CLASS}, ${LOCK_CAPTURE})`));
}

/** Version of our schema on this source; 0 when there is none. */
export async function captureVersion(source: Session): Promise<number> {
  const { there } = await source.one<{ there: boolean }>(
    sql("capture.is-installed", "select to_regclass('bucardo.capture') is not null as there"),
  );
  if (!there) return 0;
  const { version } = await source.one<{ version: number }>(sql("capture.version", "select version from bucardo.capture"));
  return version;
}

/** Makes schema bucardo with our tables on a source, once; harmless when it is there. Errors: permission-denied, schema-newer. */
export async function ensureCaptureSchema(source: Session): Promise<void> {
  await transaction(source, {}, async () => {
    await lockCapture(source);
    const version = await captureVersion(source);
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
    }
  });
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
    sql("capture.grant-role", `grant usage on schema bucardo to ${CAPTURE_ROLE}; grant insert on bucardo.truncation to ${CAPTURE_ROLE}`),
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
