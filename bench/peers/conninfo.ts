import type { TestDatabase } from "../../test/harness/database.ts";

/** For libpq. */
export function conninfo({ server, name }: TestDatabase): string {
  return `host=${server.host} port=${server.port} user=postgres dbname=${name}`;
}
