import { z } from "zod";
import { insertCustomCode, readCustomCodes } from "../../control/customcode.ts";
import { findDatabase } from "../../control/database.ts";
import { BucardoError } from "../../model/error.ts";
import type { Session } from "../../postgres/session.ts";
import { change } from "../change.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { attach } from "./attach.ts";
import { codeKeys } from "./keys.ts";
import { readSource } from "./source.ts";

export const addCustomCode = defineOperation({
  name: ["add", "customcode"],
  summary: "Add code of your own that runs at a point of a sync's runs",
  description:
    "A module in JavaScript or TypeScript with a default export, or statements of SQL (a file NAME.sql). Its text is kept in the control database, and the daemon runs it in " +
    "a process of its own, with limits (customcode_timeout, customcode_memory) and without environment, files and programs. What it gets and may ask for: docs/custom-code.md.\n\n" +
    "Without sync= or table= it is attached to nothing, and does not run yet.",
  group: "syncs",
  effect: "writes",
  http: { refused: "it reads a file, which is then run" },
  control: "required",
  input: z.object({ name: words({ about: "Its name.", value: "NAME", min: 1, max: 1 }), ...codeKeys }),
  output: z.object({ messages: z.array(z.string()), customcode: z.string() }),
  examples: [
    {
      command: "bucardo add customcode emails whenrun=exception src_code=keep-newest.ts sync=people table=employee",
      about: "Asked when a row is refused.",
    },
    { command: "bucardo add customcode refresh whenrun=after_txn src_code=refresh.sql db=B sync=people", about: "SQL, on database B." },
  ],
  exitCodes: { 2: "the file cannot be read, its code cannot run, or the name is taken" },
  async run({ name: [name = ""], whenrun, src_code, language, ...given }, context) {
    if (whenrun === undefined || src_code === undefined)
      throw new BucardoError("usage", `${whenrun === undefined ? "whenrun" : "src_code"}= is missing.`, {
        advice: `See \`${context.program} help add customcode\`.`,
      });
    const { about, getdbh, db, status, priority } = given;
    const source = await readSource(src_code, context.cwd, language, whenrun);
    const { messages } = await change(context, async (control) => {
      await refuseTaken(control, name);
      if (db !== undefined) await refuseUnknown(control, db);
      const id = await insertCustomCode(control, {
        ...source,
        name,
        whenrun,
        about: about ?? null,
        getdbh: getdbh ?? true,
        db: db ?? null,
        status: status ?? "active",
        priority: priority ?? 0,
      });
      const attached = await attach(control, id, name, given);
      const loose = attached.length > 0 ? [] : [`It does not run yet: ${context.program} update customcode ${name} sync=SYNC attaches it`];
      return { messages: [`Added customcode "${name}"`, ...attached, ...loose] };
    });
    return { messages: [...messages], customcode: name };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});

export async function refuseTaken(control: Session, name: string): Promise<void> {
  if ((await readCustomCodes(control)).some((code) => code.name === name))
    throw new BucardoError("already-exists", `A customcode named "${name}" exists already.`, {
      advice: "Choose another name, or `bucardo update customcode` that one. Nothing was changed.",
      exit: 2,
    });
}

export async function refuseUnknown(control: Session, db: string): Promise<void> {
  if ((await findDatabase(control, db)) === null)
    throw new BucardoError("unknown-object", `Unknown database "${db}".`, {
      db,
      advice: "`bucardo list dbs` shows them. Nothing was changed.",
    });
}
