import { z } from "zod";
import { readCustomCodes, updateCustomCode as store, type CustomCodeRow } from "../../control/customcode.ts";
import { BucardoError } from "../../model/error.ts";
import { change } from "../change.ts";
import { chooseOrFail } from "../choose.ts";
import { key, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { refuseTaken, refuseUnknown } from "./add.ts";
import { attach } from "./attach.ts";
import { codeKeys } from "./keys.ts";
import { readSource } from "./source.ts";

export const updateCustomCode = defineOperation({
  name: ["update", "customcode"],
  summary: "Change custom code: its text, when it runs, what it is attached to",
  description:
    "The next run uses it as it is then; nothing is restarted. sync= and table= attach it to more; with active=off they stop using it.",
  group: "syncs",
  effect: "writes",
  http: { refused: "it reads a file, which is then run" },
  control: "required",
  input: z.object({
    names: words({ about: "Names, patterns, or all; then active or inactive.", value: "NAME", min: 1 }),
    name: key(text.optional(), { about: "Its new name.", value: "NAME" }),
    ...codeKeys,
  }),
  output: z.object({ messages: z.array(z.string()) }),
  examples: [
    { command: "bucardo update customcode emails src_code=keep-newest.ts", about: "Another text." },
    { command: "bucardo update customcode emails status=inactive", about: "It is not called any more." },
  ],
  exitCodes: { 2: "the file cannot be read, or its code cannot run" },
  async run({ names: typed, name: newName, ...given }, context) {
    const control = await context.control();
    const said = typed.filter((word, index) => index === 0 || word.toLowerCase() !== "set");
    const last = said.at(-1)?.toLowerCase();
    const status = said.length > 1 && (last === "active" || last === "inactive") ? last : given.status;
    const chosen = chooseOrFail(await readCustomCodes(control), status === last ? said.slice(0, -1) : said, "customcode");
    const [only] = chosen;
    if (chosen.length > 1 && (newName !== undefined || given.src_code !== undefined))
      throw new BucardoError("usage", "name= and src_code= go with one customcode.", { advice: "" });
    const whenrun = given.whenrun ?? only?.whenrun ?? "after_sync";
    const source = given.src_code === undefined ? {} : await readSource(given.src_code, context.cwd, given.language, whenrun);
    const { messages } = await change(context, async (session) => {
      if (newName !== undefined) await refuseTaken(session, newName);
      if (given.db !== undefined) await refuseUnknown(session, given.db);
      const lines: string[] = [];
      for (const code of chosen) {
        const after = {
          ...code,
          ...source,
          name: newName ?? code.name,
          whenrun: given.whenrun ?? code.whenrun,
          about: given.about ?? code.about,
          getdbh: given.getdbh ?? code.getdbh,
          db: given.db ?? code.db,
          status: status ?? code.status,
          priority: given.priority ?? code.priority,
        };
        await store(session, code.id, after);
        lines.push(...differences(code, after), ...(await attach(session, code.id, after.name, given)));
      }
      if (lines.length === 0)
        throw new BucardoError("usage", "Nothing to change was given.", { advice: `See \`${context.program} help update customcode\`.` });
      return { messages: lines };
    });
    return { messages: [...messages] };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});

const SHOWN = ["name", "whenrun", "about", "getdbh", "db", "status", "priority"] as const;

function differences(before: CustomCodeRow, after: CustomCodeRow): string[] {
  const lines = SHOWN.filter((field) => before[field] !== after[field]).map(
    (field) =>
      `Changed ${field} of customcode "${before.name}" from ${String(before[field] ?? "none")} to ${String(after[field] ?? "none")}`,
  );
  return before.checksum === after.checksum ? lines : [...lines, `Customcode "${after.name}" has another text now`];
}
