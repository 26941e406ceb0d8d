import type { Problem } from "../../model/error.ts";
import { parseRole, type Database, type Role } from "../../model/sync.ts";
import { nameProblem, type Given } from "./draft.ts";

/** One database to be added: its name, the role its name carried, and its own part of the comma lists. */
export type NewDatabase = { readonly base: Database; readonly role: Role | null; readonly given: Given };

export type AddInput = Given & { readonly names: readonly string[]; readonly name?: string | undefined };

/**
 * The databases an `add db` line means. Version 4: `add db REAL name=INTERNAL`; version 5: `add db A[:role],B dbname=..`, where
 * comma lists are matched by position and the last value repeats. `old` is the program's older name, under which a line
 * without dbname= is of version 4.
 */
export function readNames(
  input: AddInput,
  old: boolean,
): { readonly form: 4 | 5; readonly databases: NewDatabase[]; readonly problems: Problem[] } {
  const { names, name: internal, ...given } = input;
  const words = names
    .flatMap((word) => word.split(","))
    .map((word) => word.trim())
    .filter((word) => word !== "");
  const hasReal = given.dbname !== undefined || given.service !== undefined || given.url !== undefined;
  const form = internal !== undefined || (old && !hasReal) ? 4 : 5;
  const problems: Problem[] = [];
  if (form === 4 && words.length !== 1) {
    problems.push({ grade: "error", what: "name= goes with one database", remedy: "Add the databases one by one, or use dbname=." });
    return { form, databases: [], problems };
  }
  const databases = words.map((word, index): NewDatabase => {
    if (form === 4) return { base: empty(internal ?? word), role: null, given: { ...given, dbname: given.dbname ?? word } };
    const [name = "", roleWord] = word.split(":");
    const role = roleWord === undefined ? null : parseRole(roleWord);
    if (roleWord !== undefined && role === null)
      problems.push({ grade: "error", db: name, what: `"${roleWord}" is no role`, remedy: "Roles are source, target." });
    return { base: empty(name), role, given: words.length === 1 ? given : positional(given, index) };
  });
  for (const { base, given: own } of databases) {
    const problem = nameProblem("database", base.name);
    if (problem !== null) problems.push(problem);
    if (own.dbname === undefined && own.service === undefined && own.url === undefined) {
      problems.push({
        grade: "error",
        db: base.name,
        what: "must supply a database name to connect to",
        remedy: "Give dbname= (--dbname is the control database), service= or url=.",
      });
    }
  }
  const twice = databases.find(({ base }, index) => databases.findIndex((other) => other.base.name === base.name) !== index);
  if (twice !== undefined) problems.push({ grade: "error", what: `the name "${twice.base.name}" is given twice`, remedy: "" });
  return { form, databases, problems };
}

function positional(given: Given, index: number): Given {
  const at = (value: string): string => {
    const parts = value.split(",");
    return (parts[index] ?? parts.at(-1) ?? "").trim();
  };
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value === undefined ? undefined : at(value)]));
}

function empty(name: string): Database {
  return {
    name,
    dbname: null,
    host: null,
    port: null,
    user: null,
    password: null,
    service: null,
    pgpass: null,
    conn: null,
    status: "active",
  };
}
