import { randomUUID } from "node:crypto";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** The id that marks everything of this control database on shared sources. */
export async function readInstallation(session: Session): Promise<string> {
  const { id } = await session.one<{ id: string }>(sql("control.installation-read", "select i.id from bucardo.installation i"));
  return id;
}

export async function createInstallation(session: Session): Promise<string> {
  const id = randomUUID();
  await session.execute(sql("control.installation-create", "insert into bucardo.installation (id) values ($1)", [id]));
  return id;
}

const OBJECTS = `drop view bucardo.syncrun, bucardo.sync_target;
drop table bucardo.sample, bucardo.customcode, bucardo.customcode_map, bucardo.custom, bucardo.conflict, bucardo.alert, bucardo.sync_setting, bucardo.schema_version, bucardo.installation, bucardo.setting, bucardo.db, bucardo.dbgroup, bucardo.dbgroup_member, bucardo.relation,
  bucardo.relgroup, bucardo.relgroup_member, bucardo.sync, bucardo.kick, bucardo.kick_target, bucardo.run, bucardo.target_state, bucardo.source_state,
  bucardo.daemon, bucardo.request, bucardo.remainder;
drop function bucardo.onetimecopy_set(), bucardo.copy_asked()`;

/**
 * Drops the whole memory. What is on replicated databases must be gone before: afterwards nobody knows of it. Another control database may capture
 * tables of this very database, in the same schema: that stays. Returns whether the schema went.
 */
export async function dropSchema(session: Session): Promise<boolean> {
  const { captured } = await session.one<{ captured: boolean }>(
    sql("control.schema-shared", "select pg_catalog.to_regclass('bucardo.captured_table') is not null as captured"),
  );
  await session.script(sql("control.schema-drop", captured ? OBJECTS : "drop schema bucardo cascade"));
  return !captured;
}
