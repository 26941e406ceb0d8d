import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { BucardoError } from "../model/error.ts";
import type { Words } from "./conninfo.ts";
import { findPassword, type PasswordQuery } from "./pgpass.ts";
import { readIfThere } from "./read-file.ts";

export type PasswordChoice = {
  readonly password: string | null;
  /** Where it came from, or why there is none: half a sentence for the message when the server refuses us. */
  readonly passwordNote: string;
};

/**
 * The password among the words, else that of the password file. As in libpq a file that others may read is not used; when it is the
 * one that this database names (`pgpass=`), that is an error at once.
 */
export function choosePassword(words: Words, query: PasswordQuery, named: boolean, home: string, where: string): PasswordChoice {
  if (words["password"] !== undefined) return { password: words["password"], passwordNote: "the password given" };
  const path = words["passfile"] ?? join(home, ".pgpass");
  const fault = faultOf(path);
  if (fault !== null && named) throw new BucardoError("authentication-failed", `${where}: ${fault.what}`, { advice: fault.advice });
  if (fault !== null) return { password: null, passwordNote: fault.exists ? fault.what : `no password was given and ${fault.what}` };
  const password = findPassword(readIfThere(path, where) ?? "", query);
  const { host, port, dbname, user } = query;
  return password === null
    ? { password, passwordNote: `the password file ${path} has no line for ${host}:${port}:${dbname}:${user}` }
    : { password, passwordNote: `the password from ${path}` };
}

function faultOf(path: string): { exists: boolean; what: string; advice: string } | null {
  if (!existsSync(path))
    return { exists: false, what: `there is no password file ${path}`, advice: "Correct pgpass=, or make the file (chmod 600)." };
  const stat = statSync(path);
  if (!stat.isFile()) return { exists: true, what: `the password file ${path} is not a plain file`, advice: "Correct pgpass=." };
  if ((stat.mode & 0o077) === 0) return null;
  return { exists: true, what: `the password file ${path} may be read by others, so it is not used`, advice: `chmod 600 ${path}` };
}
