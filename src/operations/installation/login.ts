import { ROLE } from "../../control/install.ts";
import { connect } from "../../postgres/connect.ts";
import { quoteIdent } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import type { Context } from "../context.ts";
import type { InstallSettings } from "./settings.ts";

/** A connection to any database of the server that was chosen. */
export async function open(
  { config, program, signal }: Context,
  { host, port }: InstallSettings,
  dbname: string,
  user: string,
): Promise<Session> {
  const { password, conn, service } = config.control;
  return await connect({
    name: "control",
    dbname,
    user,
    host,
    port,
    password,
    conn,
    service,
    applicationName: `${program} install`,
    signal,
  });
}

/** Proves that the next command will get in, or says what is missing for it. */
export async function loginHints(context: Context, chosen: InstallSettings, owner: string): Promise<string[]> {
  const { config, program } = context;
  const options = [
    chosen.host !== (config.control.host ?? context.env["PGHOST"] ?? null) ? `dbhost = ${chosen.host ?? ""}` : null,
    chosen.port !== null && chosen.port !== config.control.port ? `dbport = ${chosen.port}` : null,
    chosen.dbname !== "bucardo" ? `dbname = ${chosen.dbname}` : null,
    owner !== ROLE ? `dbuser = ${owner}` : null,
  ].filter((line) => line !== null);
  const hints = options.length === 0 ? [] : [`Put into .bucardorc, so that the other commands find it: ${options.join("; ")}`];
  try {
    await using _session = await open(context, chosen, chosen.dbname, owner);
  } catch (error) {
    hints.push(`Role ${owner} cannot log in yet: ${(error as Error).message}`);
    hints.push(
      `Give it a password (alter role ${quoteIdent(owner)} password '...') and put that into ~/.pgpass, or let pg_hba.conf trust it; then try \`${program} list all\`.`,
    );
  }
  return hints;
}
