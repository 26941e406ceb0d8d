import { z } from "zod";
import { migrateSchema, migrations, schemaVersion } from "../../control/schema-version.ts";
import { BucardoError } from "../../model/error.ts";
import { connect } from "../../postgres/connect.ts";
import { rehearse } from "../change.ts";
import { transaction } from "../../postgres/transaction.ts";
import { defineOperation } from "../operation.ts";

export const upgrade = defineOperation({
  name: ["upgrade"],
  summary: "Bring the schema of the control database up to this version",
  description: "Applies what is missing, all or nothing. A schema that is newer than the program is left alone.",
  group: "installation",
  effect: "writes",
  http: { refused: "the daemon that answers must be a new one afterwards" },
  control: "required",
  input: z.object({}),
  output: z.object({ messages: z.array(z.string()), applied: z.array(z.string()) }),
  examples: [{ command: "bucardo upgrade", about: "After a new version was installed." }],
  async run(_input, { config, program, signal, flags }) {
    // Not the context's session: that one refuses a schema of another version, which is what we are here for.
    await using session = await connect({ ...config.control, name: "control", applicationName: program, signal });
    if ((await schemaVersion(session)) === null) throw new BucardoError("not-installed", "The control database has no Bucardo schema.");
    const applied = flags.dryrun
      ? await rehearse(session, () => migrateSchema(session))
      : await transaction(session, {}, () => migrateSchema(session));
    if (applied.length === 0) return { messages: ["No schema changes were needed"], applied: [] };
    const names = applied.map(({ version, name }) => `${version} ${name}`);
    return {
      messages: [
        ...names.map((name) => `Applied ${name}`),
        `The schema has version ${migrations().at(-1)?.version ?? 0}`,
        "Run `bucardo validate all` next.",
      ],
      applied: names,
    };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
  exit: ({ applied }) => (applied.length === 0 ? 1 : 0),
});
