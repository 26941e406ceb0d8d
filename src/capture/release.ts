import type { QualifiedName } from "../model/name.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import { transaction } from "../postgres/transaction.ts";
import { dropCaptured } from "./capture-table.ts";
import { dropGuards } from "./fence.ts";
import { dropImages } from "./image-table.ts";
import { CAPTURE_ROLE } from "./name.ts";
import { captureVersion, isSuperuser, lockCapture } from "./schema.ts";

/** How long the DROP TRIGGERs of a table may wait for it; the caller repeats on lock-timeout. Short: they queue readers and writers behind them. */
const LOCK_TIMEOUT_MS = 500;

/**
 * A sync, one target of it, or some of its tables leave this source. What no other sync needs any more goes: triggers, functions, delta tables,
 * and with the last checkpoint the schema itself. Each table in a transaction of its own; repeatable after an interruption. Errors: lock-timeout.
 */
export async function releaseSync(
  source: Session,
  sync: string,
  only: { readonly target?: string; readonly tables?: readonly QualifiedName[] } = {},
): Promise<void> {
  if ((await captureVersion(source)) === 0) return;
  if (only.tables === undefined) {
    await source.execute(
      sql("capture.release", "delete from bucardo.checkpoint where sync = $1 and ($2::text is null or target = $2)", [
        sync,
        only.target ?? null,
      ]),
    );
    await forgetCopies(source, sync, only.target ?? null);
    if (only.target === undefined) await dropImages(source, sync, LOCK_TIMEOUT_MS);
  } else {
    await source.execute(
      sql(
        "capture.release-tables",
        `delete from bucardo.subscription s using bucardo.captured_table t
          where s.sync = $1 and t.id = s.captured_table and ($2::text is null or s.target = $2)
            and (t.schema_name, t.table_name) in (select * from unnest($3::text[], $4::text[]))`,
        [sync, only.target ?? null, only.tables.map((table) => table.schema), only.tables.map((table) => table.name)],
      ),
    );
    if (only.target === undefined) await dropImages(source, sync, LOCK_TIMEOUT_MS, only.tables);
  }
  await dropUnneeded(source);
}

/** What src/copy and src/verify keep beside us, where a copy or a proof ever was. */
async function forgetCopies(source: Session, sync: string, target: string | null): Promise<void> {
  const { copies, pieces } = await source.one<{ copies: boolean; pieces: boolean }>(
    sql(
      "capture.copies-there",
      "select to_regclass('bucardo.copy_table') is not null as copies, to_regclass('bucardo.proof_piece') is not null as pieces",
    ),
  );
  if (copies)
    await source.execute(
      sql("capture.forget-copies", "delete from bucardo.copy_table where sync = $1 and ($2::text is null or target = $2)", [sync, target]),
    );
  if (pieces) await source.execute(sql("capture.forget-pieces", "delete from bucardo.proof_piece where sync = $1", [sync]));
}

/** Everything of ours on this source, whoever's it is. */
export async function uninstallCapture(source: Session): Promise<void> {
  if ((await captureVersion(source)) === 0) return;
  await source.execute(sql("capture.release-all", "delete from bucardo.checkpoint"));
  await dropImages(source, null, LOCK_TIMEOUT_MS);
  await dropUnneeded(source);
}

async function dropUnneeded(source: Session): Promise<void> {
  const unneeded = await source.query<{ id: number }>(
    sql(
      "capture.unneeded",
      "select t.id from bucardo.captured_table t where not exists (select from bucardo.subscription s where s.captured_table = t.id) order by t.id",
    ),
  );
  for (const { id } of unneeded) {
    await transaction(source, {}, async () => {
      await lockCapture(source);
      await source.script(sql("capture.lock-timeout", `set local lock_timeout = ${LOCK_TIMEOUT_MS}`));
      const [needed] = await source.query(
        sql("capture.still-unneeded", "select from bucardo.subscription where captured_table = $1", [id]),
      );
      if (needed === undefined) await dropCaptured(source, id, LOCK_TIMEOUT_MS);
    });
  }
  await dropSchemaWhenEmpty(source);
}

/** The control database may share the schema: then only our own tables go. */
async function dropSchemaWhenEmpty(source: Session): Promise<void> {
  if (!(await isUsed(source))) await dropGuards(source, LOCK_TIMEOUT_MS);
  const dropped = await transaction(source, {}, async () => {
    await lockCapture(source);
    if (await isUsed(source)) return false;
    await source.script(
      sql(
        "capture.drop-schema",
        `set local lock_timeout = ${LOCK_TIMEOUT_MS};
         drop function bucardo.pending(boolean, uuid[]);
         drop table if exists bucardo.copy_piece, bucardo.copy_table, bucardo.noted_conflict, bucardo.proof_piece;
         drop table bucardo.set_aside, bucardo.intent, bucardo.subscription, bucardo.checkpoint, bucardo.truncation, bucardo.generation, bucardo.captured_table, bucardo.capture;
         drop sequence bucardo.fence_until;
         drop function if exists bucardo.fence_guard()`,
      ),
    );
    const { left } = await source.one<{ left: boolean }>(
      sql(
        "capture.schema-is-used",
        "select exists (select from pg_class where relnamespace = 'bucardo'::regnamespace) or exists (select from pg_proc where pronamespace = 'bucardo'::regnamespace) as left",
      ),
    );
    if (!left) await source.script(sql("capture.drop-empty-schema", "drop schema bucardo"));
    else await source.script(sql("capture.revoke-role", revokeText(await roleExists(source))));
    return true;
  });
  if (dropped) await dropCaptureRole(source);
}

async function isUsed(source: Session): Promise<boolean> {
  const { used } = await source.one<{ used: boolean }>(
    sql("capture.is-used", "select exists (select from bucardo.checkpoint) or exists (select from bucardo.captured_table) as used"),
  );
  return used;
}

function revokeText(exists: boolean): string {
  return exists ? `revoke usage on schema bucardo from ${CAPTURE_ROLE}` : "select";
}

async function roleExists(source: Session): Promise<boolean> {
  const rows = await source.query(sql("capture.role-exists", "select from pg_roles where rolname = $1", [CAPTURE_ROLE]));
  return rows.length > 0;
}

/** Roles belong to the whole server: another database of it may still be captured, which the server then knows better than we (2BP01). */
async function dropCaptureRole(source: Session): Promise<void> {
  if (!(await isSuperuser(source)) || !(await roleExists(source))) return;
  await source.script(
    sql(
      "capture.drop-role",
      `do $$ begin drop role ${CAPTURE_ROLE}; exception when dependent_objects_still_exist or insufficient_privilege then null; end $$`,
    ),
  );
}
