import { z } from "zod";
import { updateRelation, type RelationRow } from "../../control/relation.ts";
import { BucardoError } from "../../model/error.ts";
import { displayName } from "../../model/name.ts";
import type { RelationKind } from "../../model/sync.ts";
import { key, text, words } from "../input.ts";
import { defineOperation } from "../operation.ts";
import { applySyncChange } from "../sync/apply.ts";
import { chooseRelations } from "./choose.ts";
import { joinRelgroup } from "./join.ts";
import { policiesOf, relationKeys, withPolicies } from "./keys.ts";

function updateOf(kind: RelationKind) {
  return defineOperation({
    name: ["update", kind],
    summary: `Change the settings of ${kind}s`,
    description:
      "pkey= with nothing behind it goes back to the key that is chosen by itself; another key makes the next run copy the table again.",
    group: "relations",
    effect: "writes",
    control: "required",
    input: z.object({
      names: words({ about: "Registered names, or patterns.", value: "NAME", min: 1 }),
      db: key(text.optional(), { about: "Only those of this database.", value: "DB" }),
      relgroup: key(text.optional(), { about: "Put them into this relgroup too.", aliases: ["herd"], value: "NAME" }),
      ...relationKeys,
    }),
    output: z.object({ messages: z.array(z.string()) }),
    examples: [{ command: `bucardo update ${kind} public.accounts autokick=off`, about: "Its changes make no sync run." }],
    async run({ names, db, relgroup, ...input }, context) {
      const policies = policiesOf(input);
      if (Object.keys(policies).length === 0 && relgroup === undefined) {
        throw new BucardoError("usage", "Nothing to change was given.", { advice: `See \`${context.program} help update ${kind}\`.` });
      }
      const { messages } = await applySyncChange(context, {
        work: async (control) => {
          const rows = await chooseRelations(
            control,
            names.filter((word) => word.toLowerCase() !== "set"),
            kind,
            db,
          );
          const lines: string[] = [];
          for (const row of rows) {
            const after = withPolicies(row, policies);
            await updateRelation(control, after);
            lines.push(...changes(row, after));
          }
          if (relgroup !== undefined) lines.push(...(await joinRelgroup(control, relgroup, rows)));
          return { messages: lines };
        },
      });
      return { messages: [...messages] };
    },
    print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
  });
}

export const updateTable = updateOf("table");
export const updateSequence = updateOf("sequence");

function changes(before: RelationRow, after: RelationRow): string[] {
  const flat = ({
    keyColumns,
    autokick,
    strictChecking,
    conflictStrategy,
    copying = {},
    ghost,
    legacy,
  }: RelationRow): Record<string, string> => ({
    pkey: keyColumns === null ? "none" : keyColumns.join(","),
    autokick: String(autokick ?? "that of the sync"),
    strict_checking: String(strictChecking ?? "that of the sync"),
    conflict_strategy: conflictStrategy ?? "that of the sync",
    analyze_after_copy: String(copying.analyze ?? "that of the sync"),
    vacuum_after_copy: String(copying.vacuum ?? "that of the sync"),
    rebuild_index: String(copying.rebuildIndex ?? "that of the sync"),
    ghost: String(ghost),
    ...legacy,
  });
  const [old, now] = [flat(before), flat(after)];
  const lines = Object.keys(now).flatMap((name) =>
    old[name] === now[name] ? [] : [`Changed ${displayName(after)} ${name} from ${old[name] ?? "nothing"} to ${now[name] ?? ""}`],
  );
  return lines.length === 0 ? [`No change needed for ${displayName(after)}`] : lines;
}
