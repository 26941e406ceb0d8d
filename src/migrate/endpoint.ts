import { BucardoError } from "../model/error.ts";
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
};

/** A URL, or libpq's words (`host=db1 dbname=app`). Errors: bad-value. */
export function endpointOf(name: Endpoint["name"], text: string): Endpoint {
  const options: ConnectOptions = /^postgres(ql)?:\/\//.test(text) ? { name, url: text } : { name, conn: text };
  const parameters = resolveParameters(options);
  if (parameters.dbname === "") throw new BucardoError("bad-value", `${text} names no database`);
  return { name, options, place: `${describePlace(parameters)}/${parameters.dbname}` };
}

/** A session of its own for each use: `purpose` shows in pg_stat_activity. */
export function openEndpoint(endpoint: Endpoint, purpose: string, signal: AbortSignal): Promise<Session> {
  return connect({ ...endpoint.options, applicationName: `bucardo migrate ${purpose}`, signal });
}
