import { isAbsolute } from "node:path";
import { directoryProblem } from "../../files/file-sink.ts";
import { BucardoError, type Problem } from "../../model/error.ts";
import { filesOf, type Database, type DatabaseType } from "../../model/sync.ts";
import type { Context } from "../context.ts";
import { stopOnProblems } from "../report.ts";
import type { Given } from "./draft.ts";

/** What a line says of a database of files. */
export type FileKeys = Given & { readonly type?: string | undefined; readonly dir?: string | undefined };

/** The type that a word means, however it is spelled; null: one that is not offered. */
export function parseType(word: string): DatabaseType | null {
  if (/^(pg|p\w*gres\w*)$/i.test(word)) return "postgres";
  const flat = /^flat[-_ ]?(?:file)?[-_ ]?(pg|postgres\w*|sql)$/i.exec(word)?.[1];
  return flat === undefined ? null : flat.toLowerCase() === "sql" ? "flatsql" : "flatpg";
}

/** The type that a line gives; undefined: none. Errors: not-supported. */
export function typeOf({
  type,
  dbdsn,
}: {
  readonly type?: string | undefined;
  readonly dbdsn?: string | undefined;
}): DatabaseType | undefined {
  if (dbdsn !== undefined)
    throw new BucardoError("not-supported", "dbdsn= is not offered.", { advice: "Use url= or conn= with libpq's words." });
  if (type === undefined) return undefined;
  const known = parseType(type);
  if (known !== null) return known;
  throw new BucardoError(
    "not-supported",
    `Databases of type "${type}" are not offered; only PostgreSQL is replicated, to servers or to files.`,
    {
      advice: "Leave type= out; or type=flatsql dir=DIRECTORY writes the changes as SQL, for you to load there (docs/files.md).",
    },
  );
}

/** A database of files with what a line gives. Errors: bad-value with all problems. */
export function withFileKeys(base: Database, type: DatabaseType, given: FileKeys, title: string): Database {
  const { type: _type, dir, status, ...connection } = given;
  const problems: Problem[] = [];
  const wrong = (what: string, remedy: string): void => void problems.push({ grade: "error", db: base.name, what, remedy });
  for (const [name, value] of Object.entries(connection))
    if (value !== undefined) wrong(`${name}= means nothing for files`, "They have dir= only.");
  const directory = dir ?? base.directory ?? "";
  if (!isAbsolute(directory)) wrong("must supply the directory of the files", "Give dir= with an absolute path on the daemon's host.");
  stopOnProblems(problems, "bad-value", title);
  return { ...base, type, directory, status: status === "active" || status === "inactive" ? status : base.status };
}

/** Why nothing can be written to a database of files, from here; the daemon may be on another host. Null: it can, or it is a server. */
export async function filesProblem(database: Database): Promise<string | null> {
  const files = filesOf(database);
  return files === null ? null : await directoryProblem(files.directory);
}

/** Errors: file-target, unless --force. Returns what is to be said then. */
export async function proveFiles(context: Context, database: Database, title: string): Promise<string | null> {
  const problem = await filesProblem(database);
  if (problem === null) return null;
  if (context.flags.force) return `Without a directory that works from here: ${problem}`;
  throw new BucardoError("file-target", `${title}: ${problem}.`, {
    db: database.name,
    advice: "Make it (mkdir -m 700). Nothing was changed; --force takes it unseen, when the daemon is on another host.",
  });
}
