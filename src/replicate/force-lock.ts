import { lockModes, type LockMode } from "../model/lock-mode.ts";
import { interruptible } from "../postgres/cancel.ts";
import { quoteName } from "../postgres/quote.ts";
import type { Session } from "../postgres/session.ts";
import { sql } from "../postgres/sql.ts";
import type { RunDefinition } from "./definition.ts";

/** Locks every table of the sync on the target, whether or not the run writes to it; for people who want nobody else there. Held until the run commits. */
export async function forceLock(target: Session, { forceLock: mode, relations }: RunDefinition, signal: AbortSignal): Promise<void> {
  const tables = relations.filter(({ kind }) => kind === "table").map(({ name, terms }) => quoteName(terms?.name ?? name));
  if (mode === undefined || mode === null || tables.length === 0) return;
  const text = `lock table ${tables.toSorted().join(", ")} in ${mode} mode`;
  await interruptible(signal, target, () => target.execute(sql("replicate.force-lock", text)));
}

/** The mode that a word or a file asks for: version 5 takes EXCLUSIVE when nothing, or nothing it knows, is said. */
export function lockModeOf(text: string): LockMode {
  const wanted = text
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, " ")
    .replace(/ mode$/, "");
  return lockModes.find((mode) => mode === wanted) ?? "exclusive";
}
