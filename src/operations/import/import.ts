import { z } from "zod";
import { readPerl } from "../../control/perl.ts";
import { BucardoError } from "../../model/error.ts";
import { connect } from "../../postgres/connect.ts";
import type { Session } from "../../postgres/session.ts";
import type { Context } from "../context.ts";
import { key, text } from "../input.ts";
import { defineOperation, type Operation } from "../operation.ts";
import { findKey, wordsOf } from "../fields.ts";
import { findOperation } from "../find.ts";
import { planImport } from "./plan.ts";
import { spellStep, type ImportStep } from "./step.ts";

const step = z.object({
  command: z.string(),
  state: z.enum(["planned", "done", "there already", "failed"]),
  messages: z.array(z.string()),
  advice: z.string(),
});
const output = z.object({
  version: z.number(),
  release: z.string().nullable(),
  steps: z.array(step),
  notes: z.array(z.object({ what: z.string(), remedy: z.string() })),
  syncs: z.array(z.string()),
});
type Output = z.output<typeof output>;
type Done = z.output<typeof step>;

/** `operations`: every operation; a step of an import is one of them. A function, because they contain this one. */
export function importOf(operations: () => readonly Operation[]) {
  return defineOperation({
    name: ["import"],
    summary: "Take over an installation of Bucardo 4 or 5 (Perl)",
    description:
      "Reads its control database, changes nothing there, and makes the same databases, groups, tables and syncs here, by the commands that it prints; what is there already is left. " +
      "Syncs are made inactive: their capture begins at once, beside that of the Perl program, and they run only when you activate them. Perl code is not carried; the report says where to look.\n\n" +
      "The order that loses no change is in docs/coming-from-perl.md: import, kick the old syncs once more, `import check`, stop the old daemon, activate, compare, `import remove`.",
    group: "installation",
    effect: "writes",
    http: { refused: "it is done once, with a server that is named on the line" },
    control: "required",
    input: z.object({ from: key(text, { about: "The old control database.", value: "postgresql://..." }) }),
    output,
    examples: [
      {
        command: "bucardo import --from postgresql://bucardo@old.example/bucardo --dryrun",
        about: "What would be done, and what cannot be carried.",
      },
    ],
    exitCodes: { 1: "something could not be carried over; the same command may be repeated" },
    async run({ from }, context): Promise<Output> {
      await using old = await openOld(from, context);
      const installation = await readPerl(old);
      const { steps, notes } = planImport(installation);
      const done: Done[] = [];
      for (const each of steps) done.push(context.flags.dryrun ? planned(each) : await take(each, operations(), context));
      const syncs = steps.filter(({ name }) => name.join(" ") === "add sync").map(({ words }) => words[0] ?? "");
      return { version: installation.version, release: installation.release, steps: done, notes: [...notes], syncs };
    },
    print({ version, release, steps, notes, syncs }, io, { program }) {
      io.out(`Bucardo ${release ?? version} of the Perl program: ${steps.length} steps, ${notes.length} notes`);
      for (const { command, state, messages, advice } of steps) {
        io.out(`${state === "planned" ? "" : `${state}: `}${command}`);
        if (state === "failed") for (const line of [...messages, advice]) io.out(`    ${line}`);
      }
      for (const { what, remedy } of notes) io.out(`Note: ${what}. ${remedy}`);
      if (steps.some(({ state }) => state === "failed"))
        io.out("What failed can be mended, and the same command repeated: what is done stays.");
      else if (syncs.length > 0 && steps.every(({ state }) => state !== "planned"))
        io.out(
          `Next: kick the old syncs and wait, \`${program} import check\`, stop the old daemon, \`${program} activate ${syncs.join(" ")}\`.`,
        );
    },
    exit: ({ steps }) => (steps.some(({ state }) => state === "failed") ? 1 : 0),
  });
}

/** A session to the old control database; nothing is written there. */
export async function openOld(from: string, { program, signal }: Context): Promise<Session> {
  return await connect({ name: "old control", url: from, applicationName: `${program} import`, signal });
}

function planned(of: ImportStep): Done {
  return { command: spellStep(of), state: "planned", messages: [], advice: "" };
}

async function take(of: ImportStep, operations: readonly Operation[], context: Context): Promise<Done> {
  const command = spellStep(of);
  const failed = (messages: string[], advice: string): Done => ({ command, state: "failed", messages, advice });
  const found = findOperation(operations, of.name);
  if (found === null || found.length < of.name.length) return failed([`\`${of.name.join(" ")}\` is not offered`], "Make it by hand.");
  const { operation } = found;
  const input = operation.input.safeParse(inputOf(operation, of));
  if (!input.success)
    return failed(
      input.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`),
      "Make it by hand.",
    );
  try {
    const result = (await operation.run(input.data, context)) as { messages?: readonly string[] };
    return { command, state: "done", messages: [...(result.messages ?? [])], advice: "" };
  } catch (error) {
    if (!(error instanceof BucardoError)) throw error;
    if (error.code === "already-exists") return { command, state: "there already", messages: [], advice: "" };
    const problems = (error.details.problems ?? []).map(({ what, table }) => (table === undefined ? what : `${table}: ${what}`));
    return failed([error.message, ...problems], error.advice);
  }
}

/** What the command line would make of it, without its parsing: a name is a word whatever is in it. */
function inputOf(operation: Operation, { words, keys }: ImportStep): Record<string, unknown> {
  const field = wordsOf(operation);
  const named = Object.entries(keys).map(([name, value]) => [findKey(operation, name)?.name ?? name, value]);
  return { ...(field !== null && { [field.name]: words }), ...Object.fromEntries(named) };
}
