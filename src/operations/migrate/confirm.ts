import { BucardoError } from "../../model/error.ts";
import type { Context } from "../context.ts";

/**
 * What destroys or switches asks for the database's name, typed. `--yes` answers for scripts. Errors: declined, which changes nothing.
 */
export async function confirmName(context: Context, name: string, what: string, yes: boolean): Promise<void> {
  if (yes || context.flags.dryrun) return;
  if (!context.io.interactive || context.flags.batch)
    throw new BucardoError("declined", `${what} Nobody is there to confirm it.`, { advice: "Pass --yes. Nothing was changed." });
  context.io.out(what);
  const answer = await context.io.ask(`Type the name of the database (${name}) to go on: `);
  if (answer?.trim() !== name) throw new BucardoError("declined", "That is not its name.", { advice: "Nothing was changed." });
}
