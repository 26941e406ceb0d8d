import { z } from "zod";
import { inspectCapture, type CaptureObject } from "../../capture/inspect.ts";
import { carriedSyncs } from "../../capture/of-installation.ts";
import { uninstallCapture } from "../../capture/release.ts";
import { daemonIsAlive } from "../../control/daemon.ts";
import { readDatabases } from "../../control/database.ts";
import { dropSchema, readInstallation } from "../../control/installation.ts";
import { BucardoError, type Problem } from "../../model/error.ts";
import { filesOf, type Database } from "../../model/sync.ts";
import type { Session } from "../../postgres/session.ts";
import type { Context } from "../context.ts";
import { connectionProblem } from "../db/draft.ts";
import { defineOperation } from "../operation.ts";
import { patiently, release } from "../sync/capture.ts";

export const uninstall = defineOperation({
  name: ["uninstall"],
  summary: "Remove everything of Bucardo from all registered databases, then the control schema",
  description:
    "Triggers, functions, delta tables and the schema go from every registered database, table by table and without queueing writers behind us. " +
    "What another control database has on a shared source stays. The daemon must be stopped. Asks for the name of the control database to be typed, " +
    "unless --batch or --force is given. With --force, databases that do not answer are left as they are.",
  group: "installation",
  effect: "writes",
  http: { refused: "a person types the name of what is removed" },
  control: "required",
  input: z.object({}),
  output: z.object({ messages: z.array(z.string()) }),
  examples: [{ command: "bucardo uninstall --dryrun", about: "What would go from where." }],
  async run(_input, context) {
    const control = await context.control();
    const { flags, config } = context;
    if (await daemonIsAlive(control))
      throw new BucardoError("daemon-running", "The daemon is running.", {
        advice: `\`${context.program} stop\` first; nothing was changed.`,
      });
    const databases = await readDatabases(control);
    const reached = await reachAll(context, databases);
    const messages: string[] = [];
    if (flags.dryrun) {
      for (const session of reached.sessions) messages.push(await inventory(session));
      return { messages: [...messages, `Would drop schema bucardo from the control database "${config.control.dbname}"`] };
    }
    await askName(context, config.control.dbname);
    const installation = await readInstallation(control);
    for (const session of reached.sessions) messages.push(await clear(context, session, installation));
    const whole = await dropSchema(control);
    const left = reached.missing.map(
      (db) => `Left as it is, because it did not answer: database "${db}". There: drop schema bucardo cascade;`,
    );
    return {
      messages: [
        ...messages,
        ...left,
        whole
          ? `Dropped schema bucardo from the control database "${config.control.dbname}"`
          : `Dropped our tables from the control database "${config.control.dbname}"; what captures its own tables stays in schema bucardo`,
        "The database itself and the role bucardo are yours to drop.",
      ],
    };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});

async function reachAll(context: Context, databases: readonly Database[]): Promise<{ sessions: Session[]; missing: string[] }> {
  const sessions: Session[] = [];
  const problems: Problem[] = [];
  const missing: string[] = [];
  for (const database of databases.filter((each) => filesOf(each) === null)) {
    try {
      sessions.push(await context.connectTo(database));
    } catch (error) {
      problems.push(connectionProblem(database.name, error));
      missing.push(database.name);
    }
  }
  if (problems.length > 0 && !context.flags.force) {
    throw new BucardoError("connection-failed", "Not every registered database can be reached.", {
      problems,
      advice: "Nothing was changed. With --force those are left as they are.",
    });
  }
  return { sessions, missing };
}

async function askName({ flags, io }: Context, dbname: string): Promise<void> {
  if (flags.batch || flags.force) return;
  const answer = await io.ask(
    `This removes Bucardo from every registered database. Type the name of the control database (${dbname}) to go on: `,
  );
  if (answer?.trim() !== dbname) throw new BucardoError("declined", "Nothing was changed.", { advice: "--batch asks nothing." });
}

async function inventory(session: Session): Promise<string> {
  const objects = await objectsOn(session);
  return `Would remove ${objects.length} ${objects.length === 1 ? "object" : "objects"} from database "${session.name}"`;
}

/** Without the role that owns our functions: it belongs to the whole server, so another database may still need it. */
async function objectsOn(session: Session): Promise<CaptureObject[]> {
  return (await inspectCapture(session)).filter((object) => object.kind !== "role");
}

/** Everything when it is all ours, else sync by sync. */
async function clear(context: Context, session: Session, installation: string): Promise<string> {
  const before = await objectsOn(session);
  const carried = await carriedSyncs(session);
  const others = carried.filter((sync) => sync.installation !== installation);
  if (others.length === 0) await patiently(context, () => uninstallCapture(session));
  else for (const sync of carried.filter((each) => !others.includes(each))) await release(context, session.name, sync.sync);
  if (before.length === 0) return `Nothing of ours is on database "${session.name}"`;
  const stays = others.length === 0 ? "" : `; what other control databases have there stays (${others.map(({ name }) => name).join(", ")})`;
  return `Removed Bucardo from database "${session.name}"${stays}`;
}
