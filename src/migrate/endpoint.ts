import { connect, type ConnectOptions } from "../postgres/connect.ts";
import { describePlace } from "../postgres/failure.ts";
import { resolveParameters } from "../postgres/parameters.ts";
import type { Session } from "../postgres/session.ts";

/** One of the two databases of a move. `name` is the word in messages: `old` or `new`. */
export type Endpoint = {
  readonly name: "old" | "new";
  readonly options: ConnectOptions;
  /** host:port/database, without any secret. */
  readonly place: string;
  readonly dbname: string;
};

/** A URL, or libpq's words (`host=db1 dbname=app`). Errors: bad-value. */
export function endpointOf(name: Endpoint["name"], text: string): Endpoint {
  const options: ConnectOptions = { name, conn: text };
  const { dbname, ...parameters } = resolveParameters(options);
  return { name, options, place: `${describePlace(parameters)}/${dbname}`, dbname };
}

/** A session of its own for each use: `purpose` shows in pg_stat_activity. */
export function openEndpoint(endpoint: Endpoint, purpose: string, signal: AbortSignal): Promise<Session> {
  return connect({ ...endpoint.options, applicationName: `bucardo migrate ${purpose}`, signal });
}
