import type { Config } from "../config/load.ts";
import { readDatabase } from "../control/database.ts";
import { checkSchema } from "../control/schema-version.ts";
import type { Database } from "../model/sync.ts";
import { BucardoError } from "../model/error.ts";
import { connect } from "../postgres/connect.ts";
import type { Session } from "../postgres/session.ts";
import { connectOptionsOf } from "./connect-options.ts";
import type { Io } from "./io.ts";
import type { ServeHttp } from "./serving.ts";

/** The options every command obeys. */
export type Flags = {
  /** Ask nothing. */
  readonly batch: boolean;
  /** Do every check, say what would happen, change nothing anywhere. */
  readonly dryrun: boolean;
  /** Ask before changes are committed. */
  readonly confirm: boolean;
  readonly force: boolean;
  readonly json: boolean;
  readonly quiet: number;
  readonly verbose: number;
  readonly debug: number;
};

/** What an operation works with. Sessions opened through it are closed when the operation has ended. */
export type Context = {
  /** The name the program was called by: `bucardo` or `bucardo_ctl`. */
  readonly program: string;
  /** Of the program, as `--version` prints it. */
  readonly version: string;
  readonly config: Config;
  readonly flags: Flags;
  readonly io: Io;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** The room above, handed in by the program; null: nothing can be served. */
  readonly serveHttp: ServeHttp | null;
  /** The control database, opened at the first call; its schema is checked: not-installed, schema-older, schema-newer. */
  control(): Promise<Session>;
  /** A registered database, by name or definition; one session per name, opened at the first call. */
  connectTo(database: string | Database): Promise<Session>;
};

export type ContextParts = Omit<Context, "control" | "connectTo">;

/** A context that opens sessions when they are asked for; dispose of it to close them. */
export function openContext(parts: ContextParts): Context & AsyncDisposable {
  const sessions = new Map<string, Promise<Session>>();
  const remember = (name: string, open: () => Promise<Session>): Promise<Session> => {
    const known = sessions.get(name);
    if (known !== undefined) return known;
    const opening = open();
    // A failed connection, and one that was lost, is tried again at the next call.
    opening.then(
      (session) => session.lost.addEventListener("abort", () => sessions.delete(name), { once: true }),
      () => sessions.delete(name),
    );
    sessions.set(name, opening);
    return opening;
  };
  const control = (): Promise<Session> =>
    remember("", async () => {
      const session = await connectControl(parts);
      try {
        await checkSchema(session);
      } catch (error) {
        await session.close();
        throw error;
      }
      return session;
    });
  return {
    ...parts,
    control,
    async connectTo(database) {
      const definition = typeof database === "string" ? await readDatabase(await control(), database) : database;
      return remember(definition.name, () =>
        connect({ ...connectOptionsOf(definition, parts), applicationName: `${parts.program} ${definition.name}`, signal: parts.signal }),
      );
    },
    async [Symbol.asyncDispose]() {
      const opened = await Promise.allSettled(sessions.values());
      for (const each of opened) if (each.status === "fulfilled") await each.value.close();
    },
  };
}

async function connectControl({ config, program, signal }: ContextParts): Promise<Session> {
  try {
    return await connect({ ...config.control, name: "control", applicationName: program, signal });
  } catch (error) {
    if (!(error instanceof BucardoError) || !(error.code in CONTROL_ADVICE)) throw error;
    const code = error.code as keyof typeof CONTROL_ADVICE;
    const missing = error.details.sqlstate === "3D000";
    const from = config.rcFile === null ? "no rc file was found" : `what the command line does not say comes from ${config.rcFile}`;
    throw new BucardoError(code, `The control database: ${error.message.replace('database "control": ', "")}`, {
      ...error.details,
      advice: missing ? `\`${program} install\` makes it; or name another one with --dbname.` : `${CONTROL_ADVICE[code]} (${from})`,
      cause: error,
    });
  }
}

const CONTROL_ADVICE = {
  "connection-failed": "Is the server running, and does it listen on this address? --dbhost, --dbport and --dbuser name another one.",
  "not-postgres": "Check --dbhost and --dbport.",
  "authentication-failed":
    "Correct the user (--dbuser) or its password (~/.pgpass, PGPASSWORD, dbpass in .bucardorc), or pg_hba.conf there.",
} as const;
