import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** Settings that were set; the others have the defaults of config/setting.ts. */
export async function readSettings(session: Session): Promise<Record<string, string>> {
  const rows = await session.query<{ name: string; value: string }>(
    sql("control.setting-read-all", "select s.name, s.value from bucardo.setting s order by s.name"),
  );
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}

export async function writeSetting(session: Session, name: string, value: string): Promise<void> {
  await session.execute(
    sql(
      "control.setting-write",
      `insert into bucardo.setting (name, value) values ($1, $2)
       on conflict (name) do update set value = excluded.value, changed_at = now()`,
      [name, value],
    ),
  );
}

/** Back to the default. */
export async function deleteSetting(session: Session, name: string): Promise<void> {
  await session.execute(sql("control.setting-delete", "delete from bucardo.setting where name = $1", [name]));
}
