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

/** Drops the whole memory. What is on replicated databases must be gone before: afterwards nobody knows of it. */
export async function dropSchema(session: Session): Promise<void> {
  await session.execute(sql("control.schema-drop", "drop schema bucardo cascade"));
}
