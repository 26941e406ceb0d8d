import { z } from "zod";
import { findRelations } from "../../catalog/find.ts";
import { findDatabase, insertDatabase } from "../../control/database.ts";
import { BucardoError } from "../../model/error.ts";
import type { QualifiedName } from "../../model/name.ts";
import type { DatabaseType, RelationKind } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import type { Messages } from "../change.ts";
import type { Context } from "../context.ts";
import { joinGroup } from "../dbgroup/join.ts";
import { bool, key, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { register } from "../relation/register.ts";
import { stopOnProblems } from "../report.ts";
import { applySyncChange } from "../sync/apply.ts";
import { amend, connectionProblem, sealed, tryConnect, withoutName, type Draft, type Given } from "./draft.ts";
import { proveFiles, typeOf, withFileKeys, type FileKeys } from "./files.ts";
import { connectionKeys, withExtras } from "./keys.ts";
import { readNames, type NewDatabase } from "./new-names.ts";

type Found = QualifiedName & { readonly kind: RelationKind };
type Checked = {
  readonly draft: Draft;
  readonly role: NewDatabase["role"];
  readonly relations: readonly Found[];
  readonly warning: string | null;
};

export const addDb = defineOperation({
  name: ["add", "db"],
  summary: "Register a database by a name of your choice",
  description:
    "Tries the connection first; when it fails nothing is stored, unless --force is given. The password is never kept in clear text.\n\n" +
    "Two forms: `add db REALNAME name=NAME ...` of version 4, and `add db NAME dbname=REALNAME ...` of version 5. Several at once: " +
    "`add db A,B dbname=x,y port=5432`; lists are matched by position and the last value repeats.",
  group: "databases",
  effect: "writes",
  control: "required",
  input: z.object({
    names: words({ about: "Name of the database here (version 4: its real name). May carry a role: A:source.", value: "NAME", min: 1 }),
    name: key(text.optional(), { about: "Version 4: its name here; the first word is then the real one.", value: "NAME" }),
    ...connectionKeys,
    dbgroup: key(text.optional(), {
      about: "Put it into this group, which is made when missing. group:role sets the role.",
      aliases: ["group"],
      value: "GROUP[:ROLE]",
    }),
    addalltables: key(bool.optional(), { about: "Register all its tables.", flag: true }),
    addallsequences: key(bool.optional(), { about: "Register all its sequences.", flag: true }),
  }),
  output: z.object({ messages: z.array(z.string()), databases: z.array(z.string()) }),
  examples: [
    { command: "bucardo_ctl add db alpha name=oldalpha port=5555", about: "Version 4: database alpha, called oldalpha here." },
    { command: "bucardo add db A dbname=shop host=old.example.com", about: "Version 5: database shop, called A here." },
    { command: "bucardo add db F type=flatpg dir=/var/spool/shop", about: "Changes are written as files, for psql to load elsewhere." },
    { command: "bucardo add db A,B dbname=shop host=old,new group=move", about: "Two at once, as source and target of a group." },
  ],
  async run(input, context) {
    const type = typeOf(input) ?? "postgres";
    const { names, name, dbname, host, port, user, pass, service, pgpass, conn, url, status } = input;
    const given: Given = { dbname, host, port, user, pass, service, pgpass, conn, url, status };
    const isServer = type === "postgres";
    const read = isServer
      ? readNames({ names, name, ...given }, context.program === "bucardo_ctl")
      : readNames({ names, name, dbname: "" }, false);
    const { form, problems } = read;
    const databases = read.databases.map((each) => ({ ...each, base: withExtras(each.base, input) }));
    stopOnProblems(problems, "bad-value", "Cannot add database");
    await refuseKnown(databases, context);
    const checked = isServer ? await check(databases, input, context) : await checkFiles(databases, type, input, context);
    const work = async (control: Session): Promise<Messages> => {
      const messages = checked.flatMap(({ warning }) => (warning === null ? [] : [warning]));
      messages.push(...(await store(control, checked, form, context)));
      if (input.dbgroup !== undefined) {
        const members = checked.map(({ draft, role }) => ({ db: draft.database.name, role }));
        messages.push(...(await joinGroup(control, input.dbgroup, members)));
      }
      messages.push(...(await storeRelations(control, checked)));
      return { messages };
    };
    // A group that a sync uses makes the database a member of that sync.
    const { messages } = await applySyncChange(context, { work });
    return { messages: [...messages], databases: databases.map(({ base }) => base.name) };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});

async function refuseKnown(databases: readonly NewDatabase[], context: Context): Promise<void> {
  const control = await context.control();
  for (const { base } of databases) {
    if ((await findDatabase(control, base.name)) !== null)
      throw new BucardoError("already-exists", `Cannot add database: the name "${base.name}" already exists.`, { db: base.name });
  }
}

/** Fills in defaults and tries every connection; all failures in one report. */
async function check(
  databases: readonly NewDatabase[],
  input: { addalltables?: boolean | undefined; addallsequences?: boolean | undefined },
  context: Context,
): Promise<Checked[]> {
  const drafts = databases.map(({ base, role, given }) => ({ role, ...amend(base, withDefaults(given, context)) }));
  stopOnProblems(
    drafts.flatMap(({ problems }) => problems),
    "bad-value",
    "Cannot add database",
  );
  const results = await Promise.all(
    drafts.map(async ({ draft, role }) => {
      try {
        await using session = await tryConnect(draft, context);
        return { draft, role, relations: await wantedRelations(session, input), warning: null, error: null };
      } catch (error) {
        return { draft, role, relations: [], warning: `Added without a working connection: ${(error as Error).message}`, error };
      }
    }),
  );
  const failed = results.filter((each) => each.error !== null);
  if (failed.length > 0 && !context.flags.force)
    throw connectionFailure(failed.map(({ draft, error }) => ({ db: draft.database.name, error })));
  return results;
}

async function checkFiles(
  databases: readonly NewDatabase[],
  type: DatabaseType,
  input: FileKeys & { addalltables?: boolean | undefined; addallsequences?: boolean | undefined },
  context: Context,
): Promise<Checked[]> {
  const [only, ...more] = databases;
  const { dbname, host, port, user, pass, service, pgpass, conn, url, status, dir, addalltables, addallsequences } = input;
  const title = `Cannot add database${only === undefined ? "" : ` "${only.base.name}"`}`;
  if (only === undefined || more.length > 0 || addalltables === true || addallsequences === true)
    throw new BucardoError("usage", `${title}: files are added one by one, and have no tables of their own.`, {
      advice: "Nothing was changed.",
    });
  const given = { dbname, host, port, user, pass, service, pgpass, conn, url, status, dir };
  const database = withFileKeys(only.base, type, given, title);
  const warning = await proveFiles(context, database, title);
  return [{ draft: { database, clearPassword: null }, role: only.role ?? "target", relations: [], warning }];
}

function connectionFailure(failed: readonly { readonly db: string; readonly error: unknown }[]): unknown {
  const forced = "Nothing was added; --force adds it without a working connection.";
  const [first] = failed;
  if (first === undefined || !(first.error instanceof BucardoError)) return first?.error;
  const { code, details, advice } = first.error;
  if (failed.length === 1)
    return new BucardoError(code, `Cannot add database "${first.db}": ${withoutName(first.db, first.error)}`, {
      ...details,
      advice: `${advice} ${forced}`,
      cause: first.error,
    });
  return new BucardoError(code, "Cannot add the databases.", {
    advice: forced,
    problems: failed.map(({ db, error }) => connectionProblem(db, error)),
  });
}

/** Host and port of the environment are stored, so that the daemon's environment does not matter. */
function withDefaults(given: Given, { env }: Context): Given {
  const own = given.service !== undefined || given.url !== undefined || given.conn !== undefined;
  const host = given.host ?? (own ? undefined : (env.PGHOSTADDR ?? env.PGHOST));
  const port = given.port ?? (own ? undefined : env.PGPORT);
  const user = given.user ?? (given.service !== undefined || given.url !== undefined ? undefined : "bucardo");
  return { ...given, host, port, user };
}

async function wantedRelations(
  session: Session,
  { addalltables, addallsequences }: { addalltables?: boolean | undefined; addallsequences?: boolean | undefined },
): Promise<Found[]> {
  const kinds: RelationKind[] = [...(addalltables ? ["table" as const] : []), ...(addallsequences ? ["sequence" as const] : [])];
  const found: Found[] = [];
  for (const kind of kinds) found.push(...(await findRelations(session, ["*"], { kind })).found);
  return found;
}

async function store(control: Session, checked: readonly Checked[], form: 4 | 5, context: Context): Promise<string[]> {
  for (const { draft } of checked)
    await insertDatabase(control, context.flags.dryrun ? { ...draft.database } : await sealed(draft, context));
  const names = checked.map(({ draft }) => draft.database.name);
  if (form === 4) return names.map((name) => `Database added: ${name}`);
  const list = names.map((name) => `"${name}"`).join(",");
  return [names.length === 1 ? `Added database ${list}` : `Added databases ${list}`];
}

async function storeRelations(control: Session, checked: readonly Checked[]): Promise<string[]> {
  const messages: string[] = [];
  for (const { draft, relations } of checked) {
    for (const kind of ["table", "sequence"] as const) {
      const wanted = relations.filter((relation) => relation.kind === kind);
      if (wanted.length === 0) continue;
      const { added } = await register(
        control,
        wanted.map((relation) => ({ ...relation, db: draft.database.name })),
      );
      messages.push(`New ${kind}s added: ${added.length}`);
    }
  }
  return messages;
}
