import { quoteLiteral } from "./quote.ts";
import { sql, type Statement } from "./sql.ts";

export type SetupRow = { readonly serverVersion: number; readonly backendPid: number; readonly serverEncoding: string };

/** Every setting on which the meaning of our statements or the text of values depends (H35). `since`: first major version that has it. */
const settings: readonly { readonly name: string; readonly value: string; readonly since?: number }[] = [
  { name: "DateStyle", value: "ISO, MDY" },
  { name: "IntervalStyle", value: "postgres" },
  { name: "TimeZone", value: "UTC" },
  { name: "extra_float_digits", value: "3" },
  { name: "bytea_output", value: "hex" },
  { name: "xmloption", value: "content" },
  { name: "lc_monetary", value: "C" },
  { name: "standard_conforming_strings", value: "on" },
  { name: "escape_string_warning", value: "off" },
  { name: "statement_timeout", value: "0" },
  { name: "lock_timeout", value: "0" },
  { name: "idle_in_transaction_session_timeout", value: "0" },
  { name: "idle_session_timeout", value: "0", since: 14 },
  { name: "transaction_timeout", value: "0", since: 17 },
  { name: "default_transaction_isolation", value: "read committed" },
  { name: "default_transaction_read_only", value: "off" },
  { name: "default_transaction_deferrable", value: "off" },
  { name: "row_security", value: "off" },
  { name: "search_path", value: "pg_catalog" },
  { name: "synchronous_commit", value: "on" },
  { name: "jit", value: "off", since: 11 },
  { name: "client_min_messages", value: "warning" },
  // A machine of ours that is gone without a goodbye must not keep snapshots and locks on the server for the two hours that are usual.
  { name: "tcp_keepalives_idle", value: "30" },
  { name: "tcp_keepalives_interval", value: "10" },
  { name: "tcp_keepalives_count", value: "3" },
];

/** Bytes of no known encoding pass as they are: the server would refuse to hand out, or to take, what is not valid UTF8. */
const clientEncoding = `case pg_catalog.current_setting('server_encoding') when 'SQL_ASCII' then 'SQL_ASCII' else 'UTF8' end`;

/**
 * One statement that sets them all and asks who we are talking to; lc_messages only where the user may set it. It does nothing, and
 * gives no row, when the backend is not the one that we logged in to: behind a connection pooler our settings would stay on a connection
 * that others get next (an application whose search_path is suddenly pg_catalog).
 */
export function setupStatement(major: number, superuser: boolean, backendPid: number): Statement {
  const wanted = settings.filter(({ since = 0 }) => major >= since).map(({ name, value }) => ({ name, value }));
  if (superuser) wanted.push({ name: "lc_messages", value: "C" });
  const calls = wanted.map(({ name, value }) => `pg_catalog.set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, false)`);
  return sql(
    "session.setup",
    `select pg_catalog.current_setting('server_version_num')::pg_catalog.int4 as "serverVersion",
            pg_catalog.pg_backend_pid() as "backendPid",
            pg_catalog.current_setting('server_encoding') as "serverEncoding",
            pg_catalog.set_config('client_encoding', ${clientEncoding}, false),
            ${calls.join(",\n            ")}
       where pg_catalog.pg_backend_pid() operator(pg_catalog.=) ${backendPid}`,
  );
}
