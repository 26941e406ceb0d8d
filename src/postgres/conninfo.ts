import { BucardoError } from "../model/error.ts";

/** libpq's connection words, e.g. `{ host: "db1", sslmode: "verify-full" }`. */
export type Words = Readonly<Record<string, string>>;

/**
 * The words that mean something here. A word of libpq that would be ignored is refused when ignoring it could be less safe
 * than the user thinks; harmless ones are accepted and do nothing.
 */
const known = new Set([
  "host",
  "hostaddr",
  "port",
  "dbname",
  "user",
  "password",
  "passfile",
  "service",
  "connect_timeout",
  "options",
  "sslmode",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "sslpassword",
  "sslcrl",
  "sslsni",
  "ssl_min_protocol_version",
  "ssl_max_protocol_version",
  "channel_binding",
  "target_session_attrs",
  "gssencmode",
]);
const harmless = new Set([
  "application_name",
  "fallback_application_name",
  "client_encoding",
  "keepalives",
  "keepalives_idle",
  "keepalives_interval",
  "keepalives_count",
  "tcp_user_timeout",
  "sslcompression",
  "sslnegotiation",
  "krbsrvname",
  "gsslib",
  "gssdelegation",
  "load_balance_hosts",
]);

/** Reads `word=value word='value with blanks'`; in quotes and out of them a backslash takes the next character as it is. */
export function parseConnWords(text: string, where: string): Words {
  const words: Record<string, string> = {};
  let rest = text.trim();
  while (rest !== "") {
    const match = /^([A-Za-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/s.exec(rest);
    if (!match) throw malformed(where, `\`word=value\` expected at: ${hidePassword(rest)}`);
    const [all, name = "", quoted, plain = ""] = match;
    words[name] = (quoted ?? plain).replace(/\\(.)/gs, "$1");
    rest = rest.slice(all.length).trim();
  }
  return checkWords(words, where);
}

/** Reads `postgres://user:password@host:port/dbname?word=value`; a host that is a directory is written with %2F. */
export function parseUrl(text: string, where: string): Words {
  const match = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(text);
  if (!match) throw malformed(where, "not of the form postgres://user@host:port/dbname?word=value");
  const [, login, place = "", dbname, query] = match;
  if (place.includes(",")) throw severalHosts(where);
  const address = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(place);
  if (!address) throw malformed(where, `host and port not understood: ${place}`);
  const [user, ...password] = (login ?? "").split(":");
  const words: Record<string, string> = {};
  const put = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== "") words[name] = decode(value, where);
  };
  put("user", user);
  put("password", password.length > 0 ? password.join(":") : undefined);
  put("host", address[1]?.replace(/^\[|\]$/g, ""));
  put("port", address[2]);
  put("dbname", dbname);
  for (const pair of (query ?? "").split("&").filter((part) => part !== "")) {
    const [name = "", ...value] = pair.split("=");
    if (name === "ssl" && value[0] === "true") words["sslmode"] = "require";
    else put(name, value.join("="));
  }
  return checkWords(words, where);
}

/** Refuses words that nobody knows and words that we do not honour although they make a connection safer. */
export function checkWords(words: Words, where: string): Words {
  for (const [name, value] of Object.entries(words)) {
    if (name === "host" || name === "hostaddr" || name === "port") {
      if (value.includes(",")) throw severalHosts(where);
    }
    if (harmless.has(name) || known.has(name)) continue;
    throw new BucardoError("bad-value", `${where}: connection word "${name}" is not supported`, {
      advice: `Supported: ${[...known].join(", ")}.`,
    });
  }
  return words;
}

function decode(text: string, where: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed(where, "a % in the URL is not followed by two hexadecimal digits");
  }
}

function severalHosts(where: string): BucardoError {
  return new BucardoError("bad-value", `${where}: several hosts are not supported`, {
    advice: "Name the one server that holds the data; a standby cannot stand in for it.",
  });
}

function malformed(where: string, what: string): BucardoError {
  return new BucardoError("bad-value", `${where}: ${what}`);
}

function hidePassword(text: string): string {
  return text.replace(/password.*/is, "password...");
}
