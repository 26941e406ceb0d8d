import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { HttpFailure } from "./failure.ts";

/** What a request says about where it comes from. */
export type Coming = {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** It asks for the page or a file of it, not for data. */
  readonly forPage: boolean;
};

/**
 * Lets nobody in by way of somebody's browser: not a site whose name was made to lead here (DNS rebinding: the Host would be that name), not a page of
 * another site (Origin, Sec-Fetch-Site). Following a link to the page is fine. `names`: what this server is called besides localhost. Errors: http-origin.
 */
export function refuseForeign({ method, headers, forPage }: Coming, names: readonly string[]): void {
  const host = headers.host;
  if (host === undefined || !isOwnHost(host, names))
    throw new HttpFailure(421, "http-origin", `This server is not called "${(host ?? "").slice(0, 100)}".`);
  const { origin } = headers;
  if (origin !== undefined && !isOrigin(origin, host)) throw foreign();
  const site = headers["sec-fetch-site"];
  if (site === undefined || site === "same-origin" || site === "none") return;
  if (forPage && method === "GET" && headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document") return;
  throw foreign();
}

/** An address cannot be made to lead elsewhere; a name can. */
function isOwnHost(host: string, names: readonly string[]): boolean {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i.exec(host);
  if (match === null) return false;
  const name = (match[1] ?? match[2] ?? "").toLowerCase();
  return isIP(name) !== 0 || name === "localhost" || names.includes(name.replace(/\.$/, ""));
}

function isOrigin(origin: string, host: string): boolean {
  try {
    const { protocol, host: own } = new URL(origin);
    // A proxy in front may speak TLS where we do not.
    return (
      (protocol === "http:" || protocol === "https:") && own === host.toLowerCase().replace(protocol === "https:" ? /:443$/ : /:80$/, "")
    );
  } catch {
    return false;
  }
}

function foreign(): HttpFailure {
  return new HttpFailure(403, "http-origin", "Requests from other sites are refused.", { advice: "Open the page of this server itself." });
}

/** The token of `Authorization: Bearer TOKEN`; null: none came. Errors: http-token (another scheme). */
export function bearerOf(headers: IncomingHttpHeaders): string | null {
  const { authorization } = headers;
  if (authorization === undefined) return null;
  const token = /^Bearer +([\w.~+/=-]{1,200})$/i.exec(authorization)?.[1];
  if (token === undefined) throw tokenNeeded("Only `Authorization: Bearer TOKEN` is understood.");
  return token;
}

export function tokenNeeded(message: string): HttpFailure {
  return new HttpFailure(401, "http-token", message, { headers: { "www-authenticate": 'Bearer realm="bucardo"' } });
}
