import { resolve } from "node:path";
import { z } from "zod";
import { createInstallation } from "../../control/installation.ts";
import { readGround, readPlace, ROLE, type Ground } from "../../control/install.ts";
import { migrateSchema, schemaVersion } from "../../control/schema-version.ts";
import { writeSetting } from "../../control/setting.ts";
import { BucardoError } from "../../model/error.ts";
import { quoteIdent } from "../../postgres/quote.ts";
import type { Session } from "../../postgres/session.ts";
import { sql } from "../../postgres/sql.ts";
import { transaction } from "../../postgres/transaction.ts";
import type { Context } from "../context.ts";
import { defineOperation } from "../operation.ts";
import { askSettings } from "./dialogue.ts";
import { loginHints, open } from "./login.ts";
import { preparePiddir } from "./piddir.ts";
import { initialSettings, usersToTry, type InstallSettings } from "./settings.ts";

export const install = defineOperation({
  name: ["install"],
  summary: "Make the control database",
  description:
    "Asks where, when a person sits at the terminal; --batch asks nothing. Makes the role bucardo (LOGIN, nothing more) and the database if they are " +
    "missing and the connecting role may do so, then the schema bucardo in it. No language and no superuser is needed: with --dbname and --dbuser an " +
    "existing database of your own will do. The database may be on the same server as a source or a target.\n\n" +
    "Options: --dbhost, --dbport, --dbuser (who connects for the installation), --dbname (where the memory goes), --piddir.",
  group: "installation",
  effect: "writes",
  http: { refused: "it answers questions about the server of a control database that is not there yet" },
  control: "none",
  input: z.object({}),
  output: z.object({ messages: z.array(z.string()), quit: z.boolean() }),
  examples: [
    { command: "bucardo install --dbport=5566 --piddir=/tmp/bctest", about: "Asks, with these values filled in." },
    { command: "bucardo install --batch --dbuser=me --dbname=mine", about: "Into a database that belongs to me." },
  ],
  async run(_input, context) {
    const initial = initialSettings(context);
    const asks = context.io.interactive && !context.flags.batch;
    const chosen = asks ? await askSettings(initial, context.io, context.cwd) : initial;
    if (chosen === null) return { messages: ["Goodbye!"], quit: true };
    return { messages: await installInto(context, { ...chosen, piddir: resolve(context.cwd, chosen.piddir) }), quit: false };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
  exit: ({ quit }) => (quit ? 1 : 0),
});

async function installInto(context: Context, chosen: InstallSettings): Promise<string[]> {
  const { dryrun } = context.flags;
  const messages: string[] = [];
  await using first = await connectFirst(context, chosen);
  const ground = await readGround(first, chosen.dbname);
  refuseWithoutRights(ground, chosen);
  if (ground.databaseExists) await refuseUnfit(context, chosen, ground);
  preparePiddir(chosen.piddir, dryrun);

  const makeRole = !ground.roleExists && ground.createRole;
  if (makeRole) {
    if (!dryrun) await unlessThere(first.script(sql("install.role", `create role ${quoteIdent(ROLE)} login`)));
    messages.push(`Created role ${ROLE}`);
  }
  const owner = (makeRole || ground.roleExists) && ground.superuser ? ROLE : null;
  if (!ground.databaseExists) {
    if (!dryrun) await unlessThere(first.script(sql("install.database", createDatabaseText(chosen.dbname, owner))));
    messages.push(`Created database ${chosen.dbname}`);
  }
  if (!dryrun) {
    await using control = await open(context, chosen, chosen.dbname, ground.role);
    await fill(context, control, chosen, owner);
  }
  messages.push("Installation is now complete.");
  messages.push(...(dryrun ? [] : await loginHints(context, chosen, owner ?? ground.role)));
  return messages;
}

/** To the database itself when it is there, else to one that every server has. */
async function connectFirst(context: Context, chosen: InstallSettings): Promise<Session> {
  let failure: unknown;
  for (const dbname of new Set([chosen.dbname, "postgres", "template1"])) {
    for (const user of usersToTry(chosen)) {
      try {
        return await open(context, chosen, dbname, user);
      } catch (error) {
        const sqlstate = error instanceof BucardoError ? error.details.sqlstate : undefined;
        // 3D000 no such database, 28000 no such role: the next may be there. Anything else is the answer.
        if (sqlstate !== "3D000" && sqlstate !== "28000") throw error;
        failure ??= error;
      }
    }
  }
  throw failure;
}

function refuseWithoutRights(ground: Ground, { dbname }: InstallSettings): void {
  if (ground.databaseExists || ground.createDatabase) return;
  throw new BucardoError("permission-denied", `Database "${dbname}" does not exist, and role "${ground.role}" may not create it.`, {
    advice: `Have it created (create database ${quoteIdent(dbname)} owner ${quoteIdent(ground.role)}), give --dbname of an existing database of yours, or connect as another role with --dbuser. Nothing was changed.`,
  });
}

async function refuseUnfit(context: Context, chosen: InstallSettings, ground: Ground): Promise<void> {
  await using session = await open(context, chosen, chosen.dbname, ground.role);
  if ((await schemaVersion(session)) !== null) throw alreadyInstalled(context, chosen.dbname);
  const place = await readPlace(session);
  if (place.perlVersion) {
    throw new BucardoError("already-exists", `Database "${chosen.dbname}" holds the schema of Bucardo 4 or 5.`, {
      advice: "Give another --dbname; nothing was changed.",
    });
  }
  if (!place.mayCreate) {
    throw new BucardoError(
      "permission-denied",
      `Role "${ground.role}" may not create a schema in database "${chosen.dbname}" (owner: ${place.owner}).`,
      {
        advice: `grant create on database ${quoteIdent(chosen.dbname)} to ${quoteIdent(ground.role)}; or connect as ${place.owner} with --dbuser. Nothing was changed.`,
      },
    );
  }
}

/** Another installation on the same server may have made it since we looked: 42710, 42P04, or 23505 at the very same moment. */
async function unlessThere(making: Promise<unknown>): Promise<void> {
  try {
    await making;
  } catch (error) {
    if (!(error instanceof BucardoError) || !["42710", "42P04", "23505"].includes(error.details.sqlstate ?? "")) throw error;
  }
}

function alreadyInstalled({ program }: Context, dbname: string): BucardoError {
  return new BucardoError("already-exists", `Bucardo is already installed in database "${dbname}".`, {
    advice: `Nothing was changed. \`${program} upgrade\` brings an older schema up to date.`,
  });
}

/** In UTF8 whatever the server's default is: names and messages of all databases meet here. */
function createDatabaseText(dbname: string, owner: string | null): string {
  const own = owner === null ? "" : ` owner ${quoteIdent(owner)}`;
  return `create database ${quoteIdent(dbname)}${own} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'`;
}

/** The schema, its identity and the pid directory, in one transaction; owned by role bucardo where that is possible. */
async function fill(context: Context, control: Session, { piddir, dbname }: InstallSettings, owner: string | null): Promise<void> {
  await transaction(control, {}, async () => {
    await control.query(sql("install.lock", "select pg_advisory_xact_lock(25205, 0)"));
    if ((await schemaVersion(control)) !== null) throw alreadyInstalled(context, dbname);
    if (owner !== null) {
      await control.script(sql("install.schema", schemaText(owner)));
    }
    await migrateSchema(control);
    await createInstallation(control);
    await writeSetting(control, "piddir", piddir);
  });
}

function schemaText(owner: string): string {
  const role = quoteIdent(owner);
  return `create schema if not exists bucardo authorization ${role}; grant usage, create on schema bucardo to ${role}; set local role ${role}`;
}
