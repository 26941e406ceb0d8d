import { existsSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { BucardoError } from "../model/error.ts";
import { parseConnWords, parseUrl, type Words } from "./conninfo.ts";
import { choosePassword, type PasswordChoice } from "./password.ts";
import { readIfThere } from "./read-file.ts";
import { findService } from "./service-file.ts";

type Given = string | null | undefined;

/** How to reach a database; null and undefined both mean "not given". Passwords are clear text here. */
export type ConnectionFields = {
  /** The registered name, for messages. */
  readonly name: string;
  readonly dbname?: Given;
  readonly host?: Given;
  readonly port?: number | null | undefined;
  readonly user?: Given;
  readonly password?: Given;
  readonly service?: Given;
  readonly pgpass?: Given;
  /** libpq's words: `sslmode=verify-full sslrootcert=...`. */
  readonly conn?: Given;
  readonly url?: Given;
};

const sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
export type SslMode = (typeof sslModes)[number];

/** Everything needed to open a connection, as libpq would have decided it. */
export type Parameters = PasswordChoice & {
  /** Host name, address, or directory of the Unix socket. */
  readonly host: string;
  /** IP address to use instead of looking up `host`. */
  readonly hostaddr: string | null;
  readonly port: number;
  readonly user: string;
  readonly dbname: string;
  readonly timeoutMs: number | null;
  /** Command-line options for the server process. */
  readonly options: string | null;
  readonly sslmode: SslMode;
  readonly channelBinding: "disable" | "prefer" | "require";
  /** The other ssl words, and the default files of ~/.postgresql. */
  readonly ssl: Words;
};

export type Surroundings = { readonly env: Readonly<Record<string, string | undefined>>; readonly home: string; readonly osUser: string };

export function realSurroundings(): Surroundings {
  return { env: process.env, home: homedir(), osUser: userInfo().username };
}

const fromEnvironment: Readonly<Record<string, string>> = {
  PGHOST: "host",
  PGHOSTADDR: "hostaddr",
  PGPORT: "port",
  PGUSER: "user",
  PGPASSWORD: "password",
  PGDATABASE: "dbname",
  PGPASSFILE: "passfile",
  PGSERVICE: "service",
  PGCONNECT_TIMEOUT: "connect_timeout",
  PGOPTIONS: "options",
  PGSSLMODE: "sslmode",
  PGSSLROOTCERT: "sslrootcert",
  PGSSLCERT: "sslcert",
  PGSSLKEY: "sslkey",
  PGSSLCRL: "sslcrl",
  PGSSLSNI: "sslsni",
  PGSSLMINPROTOCOLVERSION: "ssl_min_protocol_version",
  PGSSLMAXPROTOCOLVERSION: "ssl_max_protocol_version",
  PGCHANNELBINDING: "channel_binding",
};

/** Decides every parameter: explicit fields, then words and URL, then the service file, then the environment, then defaults. */
export function resolveParameters(fields: ConnectionFields, around: Surroundings = realSurroundings()): Parameters {
  const where = `database "${fields.name}"`;
  const words: Words = {
    ...environmentWords(around.env),
    ...serviceWords(fields, around, where),
    ...givenWords(fields, where),
    ...present({
      dbname: fields.dbname,
      host: fields.host,
      port: fields.port?.toString(),
      user: fields.user,
      password: fields.password,
      passfile: fields.pgpass,
    }),
  };
  // An explicit host also overrides an address that came from elsewhere, or we would connect to the wrong server.
  const hostaddr = fields.host ? null : (words["hostaddr"] ?? null);
  const port = integer(words["port"] ?? "5432", 1, 65535, `${where}: port`);
  const host = words["host"] ?? hostaddr ?? defaultHost(port);
  const user = words["user"] ?? around.osUser;
  const dbname = words["dbname"] ?? user;
  refuseUnsupported(words, where);
  return {
    host,
    hostaddr,
    port,
    user,
    dbname,
    ...choosePassword(words, { host: passwordHost(host), port, user, dbname }, Boolean(fields.pgpass), around.home, where),
    timeoutMs: words["connect_timeout"] === undefined ? null : connectTimeout(words["connect_timeout"], where),
    options: words["options"] ?? null,
    sslmode: oneOf(sslModes, words["sslmode"] ?? (words["sslrootcert"] === "system" ? "verify-full" : "prefer"), `${where}: sslmode`),
    channelBinding: oneOf(["disable", "prefer", "require"] as const, words["channel_binding"] ?? "prefer", `${where}: channel_binding`),
    ssl: { ...defaultSslFiles(around.home), ...words },
  };
}

/** Words without a value count as not given, as in libpq. */
function present(words: Readonly<Record<string, Given>>): Words {
  return Object.fromEntries(
    Object.entries(words).filter((entry): entry is [string, string] => entry[1] !== null && entry[1] !== undefined && entry[1] !== ""),
  );
}

function environmentWords(env: Surroundings["env"]): Words {
  return present(Object.fromEntries(Object.entries(fromEnvironment).map(([name, word]) => [word, env[name]])));
}

function givenWords(fields: ConnectionFields, where: string): Words {
  const conn = fields.conn ?? "";
  const isUrl = /^postgres(ql)?:\/\//.test(conn);
  return present({
    ...(fields.url ? parseUrl(fields.url, where) : {}),
    ...(isUrl ? parseUrl(conn, where) : parseConnWords(conn, where)),
  });
}

function serviceWords(fields: ConnectionFields, { env, home }: Surroundings, where: string): Words {
  const service = fields.service || givenWords(fields, where)["service"] || env["PGSERVICE"];
  if (!service) return {};
  const own = env["PGSERVICEFILE"] || join(home, ".pg_service.conf");
  const paths = [own, join(env["PGSYSCONFDIR"] || "/etc/postgresql-common", "pg_service.conf")];
  for (const path of paths) {
    const text = readIfThere(path, where);
    const words = text === null ? null : findService(text, service, path);
    if (words) return present(words);
  }
  throw new BucardoError("bad-value", `${where}: service "${service}" is not defined`, {
    advice: `Define [${service}] in ${paths.join(" or ")}.`,
  });
}

/** Where servers put their sockets unless told otherwise. */
const socketDirectories = ["/var/run/postgresql", "/tmp"];

/** In password files the usual sockets are called localhost. */
function passwordHost(host: string): string {
  return socketDirectories.includes(host) ? "localhost" : host;
}

/** The first usual directory in which a server listens; else TCP. */
function defaultHost(port: number): string {
  return socketDirectories.find((directory) => existsSync(`${directory}/.s.PGSQL.${port}`)) ?? "localhost";
}

function defaultSslFiles(home: string): Words {
  const directory = join(home, ".postgresql");
  const files = { sslrootcert: "root.crt", sslcert: "postgresql.crt", sslkey: "postgresql.key", sslcrl: "root.crl" };
  return Object.fromEntries(
    Object.entries(files)
      .map(([word, file]) => [word, join(directory, file)] as const)
      .filter(([, path]) => existsSync(path)),
  );
}

function refuseUnsupported(words: Words, where: string): void {
  const refuse = (what: string, advice: string) => {
    throw new BucardoError("bad-value", `${where}: ${what}`, { advice });
  };
  if (words["gssencmode"] === "require") refuse("gssencmode=require is not supported", "Use sslmode=verify-full.");
  const attributes = words["target_session_attrs"] ?? "any";
  if (!["any", "read-write", "primary"].includes(attributes))
    refuse(`target_session_attrs=${attributes} is not supported`, "Leave it out.");
}

/** libpq: seconds; 0 and below wait for ever, which we do not: null. */
function connectTimeout(text: string, where: string): number | null {
  const seconds = integer(text, -1, 86_400, `${where}: connect_timeout`);
  return seconds <= 0 ? null : Math.max(2, seconds) * 1000;
}

function integer(text: string, from: number, to: number, what: string): number {
  const value = /^-?\d+$/.test(text.trim()) ? Number(text) : NaN;
  if (!(value >= from && value <= to)) throw new BucardoError("bad-value", `${what} "${text}" is not a number from ${from} to ${to}`);
  return value;
}

function oneOf<T extends string>(allowed: readonly T[], text: string, what: string): T {
  const value = allowed.find((word) => word === text);
  if (value === undefined) throw new BucardoError("bad-value", `${what} "${text}" is none of ${allowed.join(", ")}`);
  return value;
}
