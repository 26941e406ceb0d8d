import { sealPassword } from "../../config/secret.ts";
import { BucardoError, type Problem } from "../../model/error.ts";
import { isObjectName } from "../../model/name.ts";
import type { Database } from "../../model/sync.ts";
import { connect } from "../../postgres/connect.ts";
import type { Session } from "../../postgres/session.ts";
import { connectOptionsOf, keyfileOf } from "../connect-options.ts";
import type { Context } from "../context.ts";

/** A database as typed: the password is still clear text, and nothing is stored yet. */
export type Draft = { readonly database: Database; readonly clearPassword: string | null };

/** What the connection keys of the command line become. `given` has one value per key. */
export type Given = Partial<
  Record<"dbname" | "host" | "port" | "user" | "pass" | "service" | "pgpass" | "conn" | "url" | "status", string | undefined>
>;

/** Keys that are given replace what was; an empty value means "not set". Problems instead of a draft when a value is no good. */
export function amend(base: Database, given: Given): { readonly draft: Draft; readonly problems: Problem[] } {
  const problems: Problem[] = [];
  const wrong = (what: string, remedy = ""): void => void problems.push({ grade: "error", db: base.name, what, remedy });
  const url = given.url === undefined ? {} : fromUrl(given.url, wrong);
  const all: Given = { ...url, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
  const pick = (name: keyof Given, before: string | null): string | null => {
    const value = all[name];
    return value === undefined ? before : value === "" ? null : value;
  };
  const pass = all.pass;
  const stored = pass === undefined ? base.password : pass.startsWith("env:") ? pass : null;
  if (pass?.startsWith("env:") && !/^env:[A-Za-z_]\w*$/.test(pass)) wrong("pass=env: needs the name of an environment variable");
  if (/(^|\s)password\s*=/i.test(all.conn ?? "")) wrong("a password in conn= would be kept in clear text", "Give it as pass=.");
  const database: Database = {
    ...base,
    dbname: pick("dbname", base.dbname),
    host: pick("host", base.host),
    port: all.port === undefined ? base.port : portOf(all.port, wrong),
    user: pick("user", base.user),
    password: stored,
    service: pick("service", base.service),
    pgpass: pick("pgpass", base.pgpass),
    conn: pick("conn", base.conn),
    status: all.status === "inactive" ? "inactive" : all.status === "active" ? "active" : base.status,
  };
  return { draft: { database, clearPassword: pass === undefined || pass === "" || pass.startsWith("env:") ? null : pass }, problems };
}

/** A name that databases, groups and syncs may have, or a problem. */
export function nameProblem(kind: string, name: string): Problem | null {
  if (isObjectName(name)) return null;
  return {
    grade: "error",
    what: `"${name}" cannot be the name of a ${kind}`,
    remedy: "A name is a letter, then letters, digits and underscores, at most 63.",
  };
}

/** Opens a connection as the daemon would; the caller closes it. */
export async function tryConnect(draft: Draft, context: Context): Promise<Session> {
  const options = connectOptionsOf(draft.database, context);
  return await connect({
    ...options,
    ...(draft.clearPassword === null ? {} : { password: draft.clearPassword }),
    applicationName: context.program,
    signal: context.signal,
  });
}

/** The database with its password sealed; writes the key file when there is none yet. */
export async function sealed({ database, clearPassword }: Draft, context: Context): Promise<Database> {
  if (clearPassword === null) return database;
  return { ...database, password: await sealPassword(clearPassword, keyfileOf(context.config, context.env)) };
}

/** The connection problem of one database, for a report of several. */
export function connectionProblem(db: string, error: unknown): Problem {
  if (!(error instanceof BucardoError)) throw error;
  return { grade: "error", db, what: withoutName(db, error), remedy: error.advice };
}

/** The message of an error for a place where the database has been named already. */
export function withoutName(db: string, error: Error): string {
  return error.message.replace(`database "${db}": `, "");
}

function portOf(text: string, wrong: (what: string) => void): number | null {
  if (text === "") return null;
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 65535) return Number(text);
  wrong(`port must be a whole number from 1 to 65535, not "${text}"`);
  return null;
}

/** The parts of a URL, with what has no field of its own as libpq words. */
function fromUrl(text: string, wrong: (what: string) => void): Given {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    wrong("url must be of the form postgresql://user@host:port/dbname");
    return {};
  }
  const words = [...url.searchParams];
  const taken = new Set(["host", "port", "user", "password", "dbname", "service"]);
  const word = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  const conn = words.filter(([name]) => !taken.has(name)).map(([name, value]) => `${name}='${value.replace(/[\\']/g, String.raw`\$&`)}'`);
  const part = (value: string): string | undefined => (value === "" ? undefined : decodeURIComponent(value));
  return {
    host: part(url.hostname) ?? word("host"),
    port: part(url.port) ?? word("port"),
    user: part(url.username) ?? word("user"),
    pass: part(url.password) ?? word("password"),
    dbname: part(url.pathname.slice(1)) ?? word("dbname"),
    service: word("service"),
    conn: conn.length === 0 ? undefined : conn.join(" "),
  };
}
