import { notifyChanged } from "../control/sync.ts";
import { BucardoError } from "../model/error.ts";
import type { Session } from "../postgres/session.ts";
import { transaction } from "../postgres/transaction.ts";
import type { Context } from "./context.ts";

/** What most writing operations return: sentences for people in the order they came true, and what they are about. */
export type Messages = { readonly messages: readonly string[] };

/** Thrown inside a transaction to roll it back although nothing went wrong. */
class Rollback extends Error {
  readonly value: unknown;
  constructor(value: unknown) {
    super("rolled back on purpose");
    this.value = value;
  }
}

/** Does the work in a transaction that is always rolled back; what would come out. */
export async function rehearse<T>(control: Session, work: () => Promise<T>): Promise<T> {
  try {
    return await transaction(control, {}, async () => {
      throw new Rollback(await work());
    });
  } catch (error) {
    if (error instanceof Rollback) return error.value as T;
    throw error;
  }
}

/**
 * Changes the control database in one transaction and tells a living daemon. With --dryrun the work is rehearsed only,
 * with --confirm it is rehearsed, shown and asked for.
 */
export async function change<T extends Messages>(context: Context, work: (control: Session) => Promise<T>): Promise<T> {
  const control = await context.control();
  if (context.flags.dryrun) return await rehearse(control, () => work(control));
  if (context.flags.confirm) await confirm(context, (await rehearse(control, () => work(control))).messages);
  return await commit(control, () => work(control));
}

/** One transaction on the control database, told to a living daemon. */
export async function commit<T>(control: Session, work: () => Promise<T>): Promise<T> {
  return await transaction(control, {}, async () => {
    const value = await work();
    await notifyChanged(control);
    return value;
  });
}

/** Asks before a commit; anything but yes throws `declined`. Without a person at the terminal nothing is committed either. */
export async function confirm(context: Context, messages: readonly string[]): Promise<void> {
  for (const message of messages) context.io.out(message);
  const answer = await context.io.ask("Commit the changes? Y/N ");
  if (!/^\s*y/i.test(answer ?? "")) throw new BucardoError("declined", "Nothing was changed.", { advice: "" });
}
