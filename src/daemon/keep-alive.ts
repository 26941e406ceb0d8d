import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";

/** Lets the server notice within a minute that we are gone without a goodbye: it then frees the advisory locks of this session. */
export async function keepAlive(session: Session): Promise<void> {
  await session.query(
    sql(
      "daemon.keep-alive",
      `select pg_catalog.set_config(s.name, s.value, false)
         from (values ('tcp_keepalives_idle', '30'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3')) as s (name, value)`,
    ),
  );
}
