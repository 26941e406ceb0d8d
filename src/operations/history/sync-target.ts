import { key, text, words } from "../input.ts";

/** Fields that say which sync is meant, and which of its targets if only that is: as words, or by their names. */
export const syncTargetFields = {
  names: words({ about: "The sync, and one of its targets if only that is meant.", value: "SYNC [TARGET]", max: 2 }),
  sync: key(text.optional(), { about: "The sync, instead of the first word.", value: "SYNC" }),
  target: key(text.optional(), { about: "The target, instead of the second word.", value: "TARGET" }),
} as const;

type Given = { readonly names: readonly string[]; readonly sync?: string | undefined; readonly target?: string | undefined };

/** Null: not said. A sync that is given by its name leaves the first word to the target. */
export function readSyncTarget({ names, sync, target }: Given): { readonly sync: string | null; readonly target: string | null } {
  const [first, second] = sync === undefined ? names : [sync, ...names];
  return { sync: first ?? null, target: target ?? second ?? null };
}
