import { z } from "zod";
import type { Database } from "../../model/sync.ts";
import { integer, key, status, text } from "../input.ts";

/** The keys that tell how to connect; shared by `add db` and `update db`. */
export const connectionKeys = {
  dbname: key(text.optional(), { about: "Real name of the database.", aliases: ["db"], value: "NAME" }),
  host: key(z.string().optional(), {
    about: "Host name, address, or directory of the socket.",
    aliases: ["dbhost", "pghost"],
    value: "HOST",
  }),
  port: key(z.string().optional(), { about: "Port.", aliases: ["dbport", "pgport"], value: "PORT" }),
  user: key(z.string().optional(), {
    about: "Role to log in as; bucardo when not given (none with a service).",
    aliases: ["username", "dbuser"],
    value: "ROLE",
  }),
  pass: key(z.string().optional(), {
    about: "Password. Kept encrypted with the key file; env:NAME keeps only the name of an environment variable. Better: a pgpass file.",
    aliases: ["password", "dbpass"],
    value: "PASSWORD|env:NAME",
  }),
  service: key(z.string().optional(), { about: "Section of the service file.", aliases: ["dbservice"], value: "NAME" }),
  pgpass: key(z.string().optional(), { about: "Password file other than ~/.pgpass.", aliases: ["dbpgpass", "passfile"], value: "FILE" }),
  conn: key(z.string().optional(), { about: "More libpq words.", aliases: ["dbconn", "pgconn"], value: '"sslmode=verify-full ..."' }),
  url: key(z.string().optional(), { about: "All of it as one URL.", value: "postgresql://..." }),
  status: key(status.optional(), { about: "active (default) or inactive.", value: "active|inactive" }),
  type: key(z.string().optional(), {
    about: "postgres (default); flatpg or flatsql: files of the changes as SQL, which can only be targets.",
    aliases: ["dbtype"],
    value: "postgres|flatpg|flatsql",
  }),
  dir: key(z.string().optional(), {
    about: "Of files: the directory on the daemon's host.",
    aliases: ["directory", "flatfile_dir"],
    value: "DIRECTORY",
    local: true,
  }),
  dbdsn: key(z.string().optional(), { about: "Driver string of version 5; use url= or conn=.", aliases: ["dsn"], legacy: true }),
  server_side_prepares: key(z.string().optional(), { about: "Without meaning here.", aliases: ["ssp"], legacy: true }),
  makedelta: key(z.string().optional(), { about: "Without meaning here.", legacy: true }),
  sourcelimit: key(integer(0, 10_000).optional(), { about: "So many runs at once may read from it; 0: as many as come.", value: "N" }),
  targetlimit: key(integer(0, 10_000).optional(), { about: "So many runs at once may write to it; 0: as many as come.", value: "N" }),
} as const;

const LEGACY = ["server_side_prepares", "makedelta"] as const;

export type ExtraKeys = {
  readonly sourcelimit?: number | undefined;
  readonly targetlimit?: number | undefined;
} & { readonly [Name in (typeof LEGACY)[number]]?: string | undefined };

/** The database with the keys that are not about its connection, as far as they were given. */
export function withExtras(before: Database, given: ExtraKeys): Database {
  const limit = (value: number | undefined, old: number | null | undefined): number | null =>
    value === undefined ? (old ?? null) : value === 0 ? null : value;
  const legacy = LEGACY.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]] as const]));
  return {
    ...before,
    sourceLimit: limit(given.sourcelimit, before.sourceLimit),
    targetLimit: limit(given.targetlimit, before.targetLimit),
    legacy: { ...before.legacy, ...Object.fromEntries(legacy) },
  };
}
