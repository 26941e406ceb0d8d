import { isIP } from "node:net";

/** Where to serve; `loopback`: nobody but this machine can come there. */
export type HttpAddress = { readonly host: string; readonly port: number; readonly loopback: boolean };

export const DEFAULT_HTTP_PORT = 8432;

/**
 * `off`, `127.0.0.1:8432`, `[::1]:8432`, `8432`, `:8432`, `localhost`, `on`: an address, `off`, or null when the text is none. Port 0: any free one. An
 * address without a host is this machine's own.
 */
export function parseHttpAddress(text: string): HttpAddress | "off" | null {
  const word = text.trim().toLowerCase();
  if (["off", "no", "false", "none", "0"].includes(word)) return "off";
  if (["", "on", "yes", "true"].includes(word)) return addressOf("127.0.0.1", DEFAULT_HTTP_PORT);
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]\s/]*))(?::(\d{1,5}))?$/.exec(word);
  if (match === null) return null;
  const [, bracketed, plain = "", digits] = match;
  if (bracketed === undefined && digits === undefined && /^\d+$/.test(plain)) return withPort("127.0.0.1", plain);
  const host = bracketed ?? (plain === "" ? "127.0.0.1" : plain);
  if (bracketed !== undefined && isIP(bracketed) !== 6) return null;
  if (bracketed === undefined && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(host)) return null;
  return withPort(host, digits ?? String(DEFAULT_HTTP_PORT));
}

/** `127.0.0.1:8432`, `[::1]:8432` */
export function showHttpAddress({ host, port }: Pick<HttpAddress, "host" | "port">): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

function withPort(host: string, digits: string): HttpAddress | null {
  const port = Number(digits);
  return port <= 65535 ? addressOf(host, port) : null;
}

function addressOf(host: string, port: number): HttpAddress {
  return { host, port, loopback: isLoopback(host) };
}

/** Names other than localhost are not asked for: what they mean today they may not mean tomorrow. */
export function isLoopback(host: string): boolean {
  if (host === "localhost") return true;
  return isIP(host) === 4 ? host.startsWith("127.") : host === "::1" || host === "0:0:0:0:0:0:0:1";
}
