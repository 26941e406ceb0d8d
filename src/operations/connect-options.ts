import { homedir } from "node:os";
import { join } from "node:path";
import type { Config } from "../config/load.ts";
import { openPassword } from "../config/secret.ts";
import { BucardoError } from "../model/error.ts";
import { filesOf, type Database } from "../model/sync.ts";
import type { ConnectOptions } from "../postgres/connect.ts";

/** How to connect to a registered database; its password is opened here and nowhere else. Errors: not-supported for files. */
export function connectOptionsOf(
  database: Database,
  { config, env }: { readonly config: Config; readonly env: NodeJS.ProcessEnv },
): ConnectOptions {
  const { name, dbname, host, port, user, password, service, pgpass, conn } = database;
  const files = filesOf(database);
  if (files !== null)
    throw new BucardoError(
      "not-supported",
      `Database "${name}" is files (${files.type} in ${files.directory}): there is nothing to connect to.`,
      {
        db: name,
        advice: "What is said of its tables is known from the source of its syncs.",
      },
    );
  return {
    name,
    ...(dbname === null ? {} : { dbname }),
    ...(host === null ? {} : { host }),
    ...(port === null ? {} : { port }),
    ...(user === null ? {} : { user }),
    ...(service === null ? {} : { service }),
    ...(pgpass === null ? {} : { pgpass }),
    ...(conn === null ? {} : { conn }),
    ...(password === null ? {} : { password: openPassword(password, env, keyfileOf(config, env)) }),
  };
}

/** The file with the key that seals stored passwords. */
export function keyfileOf(config: Config, env: NodeJS.ProcessEnv): string {
  return config.keyfile ?? join(env.HOME ?? homedir(), ".bucardo", "key");
}

/** The clear text of a secret setting; what is not sealed (from an rc file) stands for itself. */
export function openSecret(value: string, { config, env }: { readonly config: Config; readonly env: NodeJS.ProcessEnv }): string {
  return /^(env:|enc:v1:)/.test(value) ? openPassword(value, env, keyfileOf(config, env)) : value;
}
