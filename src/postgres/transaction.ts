import { invariant } from "../base/invariant.ts";
import { BucardoError } from "../model/error.ts";
import type { Session } from "./session.ts";
import { transactionStatus } from "./_driver.ts";
import { sql } from "./sql.ts";

export type TransactionMode = { readonly isolation?: "read committed" | "repeatable read"; readonly readOnly?: boolean };

/**
 * `begin`, the work, `commit`; `rollback` when the work throws. Work that swallowed an error of the server is not taken for
 * committed: the server would answer COMMIT with ROLLBACK and no error, so that is checked before.
 */
export async function transaction<T>(session: Session, mode: TransactionMode, work: () => Promise<T>): Promise<T> {
  invariant(!isInTransaction(session), "a transaction within a transaction: the inner commit would end the outer one");
  const isolation = ` isolation level ${mode.isolation ?? "read committed"}`;
  await session.execute(sql("transaction.begin", `begin${isolation}${mode.readOnly ? " read only" : ""}`));
  try {
    const result = await work();
    if (transactionStatus(session) !== "open") {
      throw new BucardoError("internal", "a statement of the transaction failed and nobody noticed", { db: session.name });
    }
    await session.execute(sql("transaction.commit", "commit"));
    return result;
  } catch (error) {
    await rollbackQuietly(session);
    throw error;
  }
}

/** True between `begin` and its end, also when the transaction has failed. */
export function isInTransaction(session: Session): boolean {
  return transactionStatus(session) !== "none";
}

/** Ends an open transaction, if there is one; the error that led here matters more than one of the rollback. */
export async function rollbackQuietly(session: Session): Promise<void> {
  if (session.lost.aborted || !isInTransaction(session)) return;
  await session.execute(sql("transaction.rollback", "rollback")).catch(() => undefined);
}
