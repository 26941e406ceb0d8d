import { z } from "zod";
import { askAgain } from "../../control/request.ts";
import { readSync } from "../../control/sync.ts";
import { forgetSettled } from "../../control/target-state.ts";
import { BucardoError } from "../../model/error.ts";
import { sourcesOf, targetsOf } from "../../model/sync.ts";
import { acceptIdentity } from "../../replicate/accept.ts";
import { confirm } from "../change.ts";
import { words } from "../input.ts";
import { defineOperation } from "../operation.ts";

export const accept = defineOperation({
  name: ["accept"],
  summary: "Go on after a failover, restore or move of a database",
  description:
    "A sync stops when its source or a target is not the database, or not the time, that the checkpoint belongs to. What the lost part of either " +
    "history changed is not known; so look first (`bucardo compare SYNC`), or have everything copied again (`bucardo update sync SYNC onetimecopy=1`). " +
    "This says: go on from the checkpoint with what answers now.",
  group: "syncs",
  effect: "writes",
  control: "required",
  noise: ["sync"],
  input: z.object({ words: words({ about: "The sync, and a target if only that one is meant.", value: "SYNC [TARGET]", min: 1, max: 2 }) }),
  output: z.object({ messages: z.array(z.string()), targets: z.array(z.string()) }),
  examples: [{ command: "bucardo accept pepper newalpha", about: "The target newalpha is what it should be." }],
  async run({ words: [name = "", target] }, context) {
    const control = await context.control();
    const sync = await readSync(control, name);
    if (target !== undefined && !targetsOf(sync).includes(target)) {
      throw new BucardoError("unknown-object", `Sync "${name}" has no target "${target}".`, {
        sync: name,
        advice: `Its targets: ${targetsOf(sync).join(", ")}.`,
      });
    }
    const [source = ""] = sourcesOf(sync);
    const session = await context.connectTo(source);
    const messages = [`Sync "${name}" goes on from its checkpoint towards ${target ?? targetsOf(sync).join(", ")}`];
    if (context.flags.dryrun) return { messages, targets: target === undefined ? targetsOf(sync) : [target] };
    if (context.flags.confirm) await confirm(context, messages);
    const targets = await acceptIdentity(session, sync, target ?? null);
    for (const each of targets) await forgetSettled(control, sync.id, each);
    await askAgain(control, sync.id);
    return { messages, targets };
  },
  print: ({ messages }, io) => messages.forEach((message) => io.out(message)),
});
